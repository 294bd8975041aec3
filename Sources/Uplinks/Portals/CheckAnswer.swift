import Base
package import Settings

/// The head of what answers in the place of a check's server (RFC 9112), and what that means.
package struct CheckAnswer: Equatable, Sendable {
    /// Longest part of an answer that is read.
    package static let bytesMax = 4096

    package var status: Int
    /// The host that it leads to; nil: it leads nowhere, or to nothing that has a name.
    package var host: String?

    /// nil: this is no HTTP.
    package init?(_ bytes: [UInt8]) {
        let head = bytes.prefix(Self.bytesMax)
        guard head.starts(with: Array("HTTP/1.".utf8)), head.count >= 12,
            head[8] == UInt8(ascii: " ")
        else { return nil }
        let digits = head[9..<12].map { Int($0) - 48 }
        guard digits.allSatisfy({ (0...9).contains($0) }), digits[0] > 0 else { return nil }
        status = digits[0] * 100 + digits[1] * 10 + digits[2]
        for line in head.split(separator: UInt8(ascii: "\n")).dropFirst() {
            // The empty line before the body.
            guard line.first != UInt8(ascii: "\r") else { break }
            let text = String(decoding: line, as: UTF8.self)
            guard text.lowercased().hasPrefix("location:") else { continue }
            host = Self.host(of: text.dropFirst(9))
            break
        }
    }

    /// Whether the head of an answer is there as a whole.
    package static func isWhole(_ bytes: [UInt8]) -> Bool {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return false }
        return bytes.indices.dropLast(end.count - 1).contains {
            bytes[$0..<($0 + end.count)].elementsEqual(end)
        }
    }

    /// Only what is a name or an address is ever shown: the rest of the text is a stranger's.
    private static func host(of location: Substring) -> String? {
        let url = location.drop { $0 == " " || $0 == "\t" }
        guard let scheme = ["http://", "https://"].first(where: { url.lowercased().hasPrefix($0) })
        else { return nil }
        let host = url.dropFirst(scheme.count).prefix { !":/?#\r ".contains($0) }
        if let address = IPv4Address(host) { return "\(address)" }
        return DomainName(host).map { "\($0)" }
    }

    /// What an answer means that should have been the server's `204 No Content`.
    ///
    /// RFC 6585, section 6: 511 is a login page's own status. Other errors may be the server's.
    package func finding(for page: Settings.CheckPage) -> PortalWatch.Finding {
        switch status {
        case 204: return .free
        case 200..<400, 511:
            let place = host.map { " at \($0)" } ?? ""
            let how = "something else answers for \(page.endpoint.host), status \(status)"
            return .captive("wants a login\(place) (\(how))")
        default: return .unknown("\(page.endpoint.host) answers with status \(status)")
        }
    }
}
