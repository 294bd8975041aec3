import Base
import Glibc
import Linux

/// Puts a change of the firewall on trial that never proves itself, kills the daemon meanwhile, and measures by a
/// stream of packets that only the new rules allow when the kernel took it back.
package struct RollbackBench: Sendable {
    package struct Round: Sendable {
        /// When the daemon was killed, from the first packet that passed.
        package var killedAfter: Duration
        /// From the first packet to the last, less the trial's time.
        package var deviation: Duration
        package var packets: UInt64
        /// Packets that passed after the daemon had started again.
        package var passedLater: UInt64
        /// Whether it then said that the change was not confirmed.
        package var isRefused: Bool
    }

    package static let trial = Duration.seconds(2)
    /// Packets a second from the machine to a host of the company network.
    private static let rate = 5000
    private static let port: UInt16 = 4998
    /// From the deadline until a late packet would have come.
    private static let settle = Duration.milliseconds(600)

    private let site: Site
    private let clock = SystemClock()
    private let tally: String

    package init(_ site: Site) {
        self.site = site
        tally = site.directory.path + "/trial"
    }

    package func run(rounds: Int, seed: UInt64 = 1, report: (Round) -> Void) async throws {
        let base = try Site.shippedConfiguration()
            .replacing("\ntrial = \"1m\"", with: "\ntrial = \"2s\"")
        try await site.startDaemon(config: base)
        try await site.waitUntil(within: .seconds(20), "the cloud session") {
            (try? await site.status())?.contains("connected to mqtts") ?? false
        }
        // The change must not prove itself.
        try site.pauseCloud()
        _ = try await site.startBackground(
            in: .plc, name: "exchange", exchange("10.1.0.66", Self.rate, tally + ".sent"))
        var random = Chance(seed: seed)
        for number in 0..<rounds {
            let changed =
                "# change \(number)\n"
                + base.replacing("\nlan-to-wan = \"neither\"", with: "\nlan-to-wan = \"private\"")
            report(try await round(changed, killedAfter: .milliseconds(random.below(1500))))
        }
        try site.resumeCloud()
    }

    private func round(_ changed: String, killedAfter delay: Duration) async throws -> Round {
        let sink = try await site.startBackground(
            in: .office, name: "exchange", exchange("192.0.2.1", 0, tally))
        try await sink.waitUntilReady(saying: "ready", within: .seconds(5))
        try await Task.sleep(for: .milliseconds(300))
        guard Exchange.Tally(path: tally).received == 0 else {
            throw SiteError("packets pass before the change: nothing is proved")
        }
        try site.directory.write(changed, to: site.directory.configurationFile)
        try await site.waitUntil(within: .seconds(10), "packets pass", every: .milliseconds(5)) {
            Exchange.Tally(path: tally).received > 0
        }
        let first = Exchange.Tally(path: tally).firstArrival
        try await Task.sleep(for: first + delay - clock.now())
        let killed = try await site.killDaemon() - first
        try await Task.sleep(for: first + Self.trial + Self.settle - clock.now())
        let seen = Exchange.Tally(path: tally)

        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(10), "the daemon answers") {
            (try? await site.status()) != nil
        }
        var isRefused = false
        for _ in 0..<100 where !isRefused {
            isRefused = try await site.status().contains("not confirmed")
            if !isRefused { try await Task.sleep(for: .milliseconds(50)) }
        }
        await sink.stop()
        return Round(
            killedAfter: killed, deviation: seen.lastArrival - first - Self.trial,
            packets: seen.received,
            passedLater: Exchange.Tally(path: tally).received - seen.received,
            isRefused: isRefused)
    }

    private func exchange(_ to: String, _ rate: Int, _ tally: String) -> [String] {
        // Only root may; elsewhere the stream is as steady as the machine lets it be.
        (geteuid() == 0 ? ["chrt", "-f", "20"] : []) + [
            site.programs.site, "exchange", "--to", to, "--port", "\(Self.port)", "--rate",
            "\(rate)", "--tally", tally,
        ]
    }
}

extension Site {
    /// Stops the broker where it is: it confirms nothing any more, and nobody hears why.
    package nonisolated func pauseCloud() throws { try signalCloud(SIGSTOP) }

    package nonisolated func resumeCloud() throws {
        try signalCloud(SIGCONT)
        parts.first { $0.name == "mosquitto" }?.resume()
    }

    private nonisolated func signalCloud(_ signal: Int32) throws {
        guard let broker = parts.first(where: { $0.name == "mosquitto" }), broker.isRunning else {
            throw SiteError("the broker does not run")
        }
        broker.send(signal: signal)
    }
}
