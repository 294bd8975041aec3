/// What OpenVPN is told when a proxy asks who we are.
///
/// It is read from its file for each start of OpenVPN, goes over the management socket only, and is forgotten with the
/// process.
package struct ProxyLogin: Equatable, Sendable {
    package enum Limits {
        package static let fileBytesMax = 512
        /// OpenVPN's own limit is 128 bytes, its closing zero included (`USER_PASS_LEN`).
        package static let textBytesMax = 127
    }

    package let user: String
    package let password: String

    /// The file's two lines: user (for NTLM perhaps `DOMAIN\user`), and password. Nil: they are not that.
    package init?(file bytes: some Collection<UInt8>) {
        guard bytes.count <= Limits.fileBytesMax else { return nil }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { line in line.last == UInt8(ascii: "\r") ? line.dropLast() : line }
        if lines.count == 3, lines[2].isEmpty { lines.removeLast() }
        guard lines.count == 2,
            lines.allSatisfy({ line in
                (1...Limits.textBytesMax).contains(line.count)
                    && line.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            })
        else { return nil }
        user = String(decoding: lines[0], as: UTF8.self)
        password = String(decoding: lines[1], as: UTF8.self)
    }

    /// What answers a question for `whom`, `HTTP Proxy` or `SOCKS Proxy`, over the management socket.
    package func commands(for whom: String) -> [String] {
        [
            "username \(Self.quoted(whom)) \(Self.quoted(user))",
            "password \(Self.quoted(whom)) \(Self.quoted(password))",
        ]
    }

    /// `management-notes.txt`, "command parsing".
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
