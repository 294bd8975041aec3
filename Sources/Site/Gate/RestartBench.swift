import Base
import Glibc
import Linux

/// Sends packets through the router in both directions, past the tunnel, while the daemon is ended, killed,
/// exchanged and started again with the key off.
///
/// A cable stands for the tunnel, so that packets reach the gate whether there is a VPN session or not.
package struct RestartBench: Sendable {
    package struct Result: Sendable {
        package var restarts = 0
        /// Packets sent in each direction while the key was off.
        package var sentInward: UInt64 = 0
        package var sentOutward: UInt64 = 0
        /// Packets that passed meanwhile.
        package var passedInward: UInt64 = 0
        package var passedOutward: UInt64 = 0
        /// From the key on again until packets passed in both directions.
        package var openAgain = Duration.zero
    }

    /// Packets a second, each way.
    private static let rate = 2000
    /// From the key off until what is on its way has arrived.
    private static let settle = Duration.milliseconds(200)

    private let site: Site
    private let clock = SystemClock()
    private let inward: String
    private let outward: String

    package init(_ site: Site) {
        self.site = site
        inward = site.directory.path + "/inward"
        outward = site.directory.path + "/outward"
    }

    /// `upgrade`: exchanges the daemon's binary before every fourth start.
    package func run(
        restarts: Int, seed: UInt64, upgrade: (@Sendable () async throws -> Void)? = nil
    ) async throws -> Result {
        try await layCable()
        try await site.startDaemon(config: Site.shippedConfiguration())
        // What passes before the first rules would count as begun by the machine, and never pass again.
        try await site.waitUntil(within: .seconds(10), "the daemon answers") {
            (try? await site.status()) != nil
        }
        for (place, to, tally) in [
            (Place.plc, "10.8.0.66", inward), (.office, "\(Site.machineAddress)", outward),
        ] {
            _ = try await site.startBackground(
                in: place, name: "exchange",
                [
                    site.programs.site, "exchange", "--to", to, "--rate", "\(Self.rate)",
                    "--tally", tally,
                ])
        }
        try await site.turnSwitch(.on)
        try await passing()
        try await site.turnSwitch(.off)
        try await Task.sleep(for: Self.settle)

        var result = Result()
        let before = (Exchange.Tally(path: inward), Exchange.Tally(path: outward))
        var random = Chance(seed: seed)
        for number in 0..<restarts {
            if random.below(2) == 0 {
                try await site.killDaemon()
            } else {
                try await site.stopDaemon()
            }
            if number % 4 == 3 { try await upgrade?() }
            try await Task.sleep(for: .milliseconds(random.below(200)))
            try await site.startDaemon()
            try await Task.sleep(for: .milliseconds(random.below(500)))
            result.restarts += 1
        }
        let after = (Exchange.Tally(path: inward), Exchange.Tally(path: outward))
        result.sentInward = after.1.sent - before.1.sent
        result.sentOutward = after.0.sent - before.0.sent
        result.passedInward = after.0.received - before.0.received
        result.passedOutward = after.1.received - before.1.received
        let turned = try await site.turnSwitch(.on)
        try await passing()
        result.openAgain = clock.now() - turned
        return result
    }

    private func layCable() async throws {
        for command in [
            "link add vpn0 type veth peer name user0 netns office",
            "address add 10.8.0.10/24 dev vpn0", "link set vpn0 up",
        ] { try await ip(.router, command) }
        for command in [
            "route del 10.8.0.0/24 via 10.1.0.2", "address add 10.8.0.66/24 dev user0",
            "link set user0 up", "route replace 192.168.140.0/24 via 10.8.0.10",
        ] { try await ip(.office, command) }
    }

    private func ip(_ place: Place, _ words: String) async throws {
        try await site.output(in: place, ["ip"] + words.split(separator: " ").map(String.init))
    }

    /// Waits until packets pass in both directions.
    private func passing() async throws {
        let begin = (
            Exchange.Tally(path: inward).received, Exchange.Tally(path: outward).received
        )
        try await site.waitUntil(
            within: .seconds(20), "packets pass the gate in both directions",
            every: .milliseconds(20)
        ) {
            Exchange.Tally(path: inward).received > begin.0 + 50
                && Exchange.Tally(path: outward).received > begin.1 + 50
        }
    }
}
