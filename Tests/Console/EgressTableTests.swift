import Base
import Console
import Settings
import Testing

/// The table that an IT department asks for.
@Suite("Egress table")
struct EgressTableTests {
    private static let example = "\(#filePath)".components(upTo: "/Tests/") + "/etc/drawbridge.toml"

    private func settings(_ more: (inout Settings) -> Void = { _ in }) throws -> Settings {
        var settings = try Settings.load(file: Self.example)
        more(&settings)
        return settings
    }

    private func opening(_ address: String, _ names: [String]) throws -> EgressTable.Opening {
        EgressTable.Opening(
            address: try #require(IPv4Address(address)), openSeconds: 90,
            names: try names.map { try #require(DomainName($0)) })
    }

    @Test("from the config alone: each destination with its ports and why, and it says so")
    func configAlone() throws {
        let table = EgressTable(try settings(), open: nil)
        #expect(table.source == .config)
        #expect(
            table.rows.map(\.to) == [
                "mqtt.ixon.net", "vpn.ixon.net", "*.ixon.net", "*.ixon.cloud", "*.ayayot.com",
                "9.9.9.9", "9.9.9.9", "1.1.1.1", "9.9.9.9",
            ])
        #expect(table.rows.first?.ports == ["tcp/443"])
        #expect(table.rows.first?.addresses == [])
        #expect(table.rows.allSatisfy { $0.from == .router && !$0.why.isEmpty })
        let text = table.text()
        #expect(text.contains("no daemon answers"))
        #expect(text.hasSuffix("Incoming: nothing.\n"))
    }

    @Test("from the daemon: the addresses that are open now, by the names that led there")
    func running() throws {
        let table = EgressTable(
            try settings(),
            open: [
                try opening("203.0.113.10", ["mqtt.ixon.net", "vpn.ixon.net"]),
                try opening("203.0.113.20", ["api.ixon.net"]), try opening("203.0.113.30", []),
            ])
        func addresses(_ name: String) -> [String]? {
            table.rows.first { $0.to == name }?.addresses.map(\.address)
        }
        #expect(addresses("mqtt.ixon.net") == ["203.0.113.10"])
        #expect(addresses("vpn.ixon.net") == ["203.0.113.10"])
        #expect(addresses("api.ixon.net") == ["203.0.113.20"])
        #expect(addresses("addresses of earlier answers") == ["203.0.113.30"])
        #expect(table.text().contains("203.0.113.10 (1 min)"))
        let bytes = try ConsoleJSON.encode(table)
        #expect(try ConsoleJSON.decode(EgressTable.self, from: bytes) == table)
    }

    @Test("what the config opens for the machines, and inward, is there too")
    func opened() throws {
        let table = EgressTable(
            try settings { settings in
                settings.firewall.lanToWAN = .private
                settings.firewall.allowed = [
                    .init(
                        comment: "updates of the HMI", from: .lan, to: .wan,
                        destination: CIDR("198.51.100.0/24"), service: .init(.tcp, 443...443)),
                    .init(
                        comment: "MES reads the PLC", from: .wan, to: .lan,
                        destination: CIDR("192.168.140.10/32"), service: .init(.tcp, 502...502),
                        letsTheWANIn: true),
                ]
            }, open: [])
        let machines = table.rows.filter { $0.from == .machines }
        #expect(machines.map(\.to) == ["private networks", "198.51.100.0/24"])
        #expect(machines.last?.why == "updates of the HMI")
        #expect(table.incoming == ["wan to lan 192.168.140.10/32, tcp/502: MES reads the PLC"])
        #expect(!table.text().contains("Incoming: nothing"))
    }
}

extension String {
    fileprivate func components(upTo mark: String) -> String {
        firstRange(of: mark).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
