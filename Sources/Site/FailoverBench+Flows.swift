import Base
import Linux

// What becomes of running connections when their uplink dies.
extension FailoverBench {
    /// How the router translates what the LAN sends out.
    package enum Translation: String, CaseIterable, Sendable {
        case masquerade
        /// By a rule of somebody else with fixed addresses, which the firewall's own then never sees.
        case snat
        /// Another program keeps marks of its own on connections, in the bits that are not ours.
        case marks = "masquerade, and another's marks"

        var rules: String {
            switch self {
            case .masquerade: ""
            case .snat:
                ISP.allCases.map {
                    "add rule ip others post ip saddr 192.168.140.0/24 oifname "
                        + "\"\($0.routerInterface)\" snat to 10.\($0.rawValue).0.2\n"
                }.joined()
            case .marks: "add rule ip others label ct mark set ct mark and 0xffffff00 or 0x2a\n"
            }
        }
    }

    /// One silent failure; all times from the word of the kernel that the new route stands.
    package struct Move: Sendable {
        /// To the first datagram of the running stream that was sent afterwards and came back; nil: none within four
        /// seconds.
        package var datagrams: Duration?
        /// To the end of each connection that rested, by a reset; as many as were ended.
        package var resets: [Duration]
        package var restingBefore: Int
        /// To the first new connection that stood; nil: none.
        package var connection: Duration?
        /// The LAN's packets that were still sent over the dead uplink, from 300 ms later on.
        package var leftOver: Int
    }

    private static let tcpPort: UInt16 = 5998
    package static let resting = 20

    /// Breaks the preferred provider silently `rounds` times, with TCP connections over it.
    package func moves(_ rounds: Int, _ translation: Translation) async throws -> [Move] {
        try await site.output(
            in: .router, ["nft", "-f", "-"],
            input: """
                add table ip others
                add counter ip others old
                add chain ip others count { type filter hook postrouting priority 300; }
                add rule ip others count iifname "br-lan" oifname "eth0" counter name old
                add chain ip others post { type nat hook postrouting priority 90; }
                add chain ip others label { type filter hook forward priority 10; }
                \(translation.rules)
                """)
        let program = site.programs.site
        let swallow = try await site.startBackground(
            in: .cloud, name: "swallow", [program, "swallow", "--port", "\(Self.tcpPort)"])
        try await swallow.waitUntilReady(saying: "listening", within: .seconds(30))
        let hold = try await site.startBackground(
            in: .plc, name: "hold",
            [
                program, "hold", "--to", Self.service, "--port", "\(Self.tcpPort)", "--count",
                "\(Self.resting)",
            ])
        var moves: [Move] = []
        for _ in 0..<rounds {
            // Time for all connections to stand again, and for the stream to be one of the preferred uplink's.
            try await Task.sleep(for: .seconds(4) + .milliseconds(Int64.random(in: 0..<1000)))
            moves.append(try await move(hold))
            try await site.restore(.a)
            try await waitUntilCarrying(.a, within: .seconds(60))
        }
        await hold.stop()
        await swallow.stop()
        return moves
    }

    private func move(_ hold: Part) async throws -> Move {
        let broken = try await site.cutSilently(.a)
        var moved: Instant?
        try await site.waitUntil(
            within: .seconds(30), "the route leaves the dead uplink", every: .milliseconds(20)
        ) {
            moved = try heard().last { $0.what == .carries && $0.at > broken }?.at
            return moved != nil
        }
        guard let moved else { throw SiteError("the route did not move") }
        try await Task.sleep(for: moved + .milliseconds(300) - clock.now())
        let before = try await leftOver()
        try await Task.sleep(for: .seconds(4))
        let left = try await leftOver() - before
        let facts = Conversations.parse(try log(of: hold))
        var opened = 0
        var resets: [Duration] = []
        var connection: Duration?
        for fact in facts {
            switch fact {
            case .ended(let at) where at > broken: resets.append(max(.zero, at - moved))
            case .ended: break
            case .opened(_, let stood) where stood > broken + .milliseconds(20):
                connection = connection ?? max(.zero, stood - moved)
            case .opened: opened += 1
            }
        }
        let stream = try arrivals().first { $0.sent > moved }
        return Move(
            datagrams: stream.map { $0.arrived - moved }, resets: resets,
            restingBefore: min(opened, Self.resting), connection: connection, leftOver: left)
    }

    private func leftOver() async throws -> Int {
        let text = try await site.output(
            in: .router, ["nft", "list", "counter", "ip", "others", "old"])
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let at = words.firstIndex(of: "packets"), at + 1 < words.count,
            let count = Int(words[at + 1])
        else { throw SiteError("no counter in: \(text)") }
        return count
    }
}
