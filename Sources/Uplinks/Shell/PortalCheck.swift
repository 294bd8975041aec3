package import Base
import Glibc
import Linux
package import Settings

/// Why a check's server is not to be found over an uplink.
package enum PortalTrouble: Error, Sendable {
    /// The name servers say what cannot be true: an address of some private network.
    case deceived(IPv4Address)
    case unknown(String)
}

/// What a check has found, and what it took.
package struct PortalAnswer: Sendable {
    package var finding: PortalWatch.Finding
    /// With IP headers, about.
    package var bytes: Int

    package init(finding: PortalWatch.Finding, bytes: Int) {
        self.finding = finding
        self.bytes = bytes
    }
}

/// Asks over an uplink for a page that only its server can answer as it should.
package protocol PortalChecker: Sendable {
    func check(_ page: Settings.CheckPage, over path: UplinkPath) async -> PortalAnswer
}

/// By name server and HTTP, on sockets of the uplink's device and address.
package struct HTTPPortalChecker: PortalChecker {
    /// The addresses of a host as that uplink's network tells them; they may be reached when it returns.
    package typealias Locate =
        @Sendable (DomainName, UplinkPath) async throws(PortalTrouble) -> [IPv4Address]

    /// For the connection, and for the answer.
    private static let patience = Duration.seconds(4)
    /// A question for an address and its answer, about.
    private static let nameBytes = 180
    /// SYN, its answer, four acknowledgements, two ends of a connection; 60 or 52 bytes each.
    private static let connectionBytes = 2 * 60 + 6 * 52

    private let locate: Locate
    private let clock: any MonotonicClock

    package init(clock: any MonotonicClock, locate: @escaping Locate) {
        self.clock = clock
        self.locate = locate
    }

    package func check(_ page: Settings.CheckPage, over path: UplinkPath) async -> PortalAnswer {
        let host = page.endpoint.host
        let addresses: [IPv4Address]
        do throws(PortalTrouble) {
            addresses = try await locate(host, path)
        } catch {
            switch error {
            case .deceived(let address):
                return PortalAnswer(
                    finding: .captive(
                        "wants a login (name servers over it say that \(host) is \(address))"),
                    bytes: Self.nameBytes)
            case .unknown(let why):
                return PortalAnswer(finding: .unknown(why), bytes: Self.nameBytes)
            }
        }
        guard let address = addresses.first else {
            return PortalAnswer(
                finding: .unknown("\(host) has no address"), bytes: Self.nameBytes)
        }
        let bytes = Self.nameBytes + Self.connectionBytes
        do {
            let request = Self.request(page)
            let answer = try await ask(request, of: address, page, over: path)
            let finding =
                CheckAnswer(answer)?.finding(for: page)
                ?? .unknown("what answers for \(host) is no web server")
            return PortalAnswer(finding: finding, bytes: bytes + request.count + answer.count)
        } catch {
            return PortalAnswer(finding: .unknown("\(error)"), bytes: bytes)
        }
    }

    private func ask(
        _ request: [UInt8], of address: IPv4Address, _ page: Settings.CheckPage,
        over path: UplinkPath
    ) async throws -> [UInt8] {
        let peer = DatagramSocket.Peer(address: address, port: page.endpoint.port.port)
        let socket = try BoundSocket(
            SOCK_STREAM, to: peer, over: path.interface, source: path.address)
        try await socket.connected(
            to: "\(address):\(peer.port)", until: clock.now() + Self.patience)
        return try await socket.ask(
            request, bytesMax: CheckAnswer.bytesMax, until: clock.now() + Self.patience,
            isComplete: CheckAnswer.isWhole)
    }

    static func request(_ page: Settings.CheckPage) -> [UInt8] {
        let host = page.endpoint.host
        let port = page.endpoint.port.port
        let lines = [
            "GET \(page.path) HTTP/1.1", "Host: \(host)\(port == 80 ? "" : ":\(port)")",
            "User-Agent: drawbridge", "Cache-Control: no-cache", "Connection: close", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
