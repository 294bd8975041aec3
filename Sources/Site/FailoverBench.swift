package import Base
import Console
import Glibc
import Linux

/// What a LAN client sees of failovers: a stream of 100 datagrams a second through the router to a service and back.
package struct FailoverBench: Sendable {
    /// One failure, or one return.
    package struct Event: Sendable {
        /// From the fault to the first datagram that came back after those that it cost.
        package var gap: Duration
        package var lost: Int
        /// From the repair to the route's return.
        package var back: Duration?
        /// Lost from the repair until two seconds after the return.
        package var lostBack = 0
    }

    /// A time with trouble, in which nothing may be lost by our own doing.
    package struct Watch: Sendable {
        package var sent: Int
        package var lost: Int
        package var switches: Int
    }

    package static let rate = 100
    private static let port: UInt16 = 5999
    private static let service = "203.0.113.10"

    private let site: Site
    private let echo: Part
    private let stream: Part
    private let clock = SystemClock()

    /// Starts the daemon with `[keepalive]` and `[failover]` lines of its own, and the stream.
    package static func begin(
        in site: Site, keepAlive: [String: String], failover: [String: String]
    ) async throws -> FailoverBench {
        var config = try Site.shippedConfiguration()
            .replacing("lan-to-wan = \"neither\"", with: "lan-to-wan = \"both\"")
        for (key, value) in keepAlive.merging(failover, uniquingKeysWith: { $1 }) {
            let lines = config.split(separator: "\n", omittingEmptySubsequences: false)
            config =
                lines.map { line in
                    line.hasPrefix("\(key) = ")
                        || line.hasPrefix("#\(key) = ")
                            && !lines.contains { $0.hasPrefix("\(key) = ") }
                        ? "\(key) = \(value)" : String(line)
                }.joined(separator: "\n")
        }
        try await site.startDaemon(config: config)
        let echo = try await site.startBackground(
            in: .cloud, name: "echo", [site.programs.site, "echo", "--port", "\(port)"])
        try await echo.waitUntilReady(saying: "listening", within: .seconds(10))
        let stream = try await site.startBackground(
            in: .plc, name: "converse",
            [
                site.programs.site, "converse", "--to", service, "--port", "\(port)", "--rate",
                "\(rate)",
            ])
        let bench = FailoverBench(site: site, echo: echo, stream: stream)
        try await bench.waitUntilCarrying("office", within: .seconds(30))
        try await Task.sleep(for: .seconds(3))
        return bench
    }

    package func end() async throws {
        await stream.stop()
        await echo.stop()
        try await site.stopDaemon()
    }

    /// `fault` breaks the preferred provider; then it is repaired.
    package func round(
        hold: Duration, _ fault: @Sendable (Site) async throws -> Instant
    ) async throws -> Event {
        let broken = try await fault(site)
        try await Task.sleep(for: .seconds(4))
        let after = try arrivals().filter { $0.arrived > broken - .milliseconds(30) }
        let gap = Self.gap(after, from: broken)
        let lost = Self.lost(after)
        let repaired = try await site.restore(.a)
        try await waitUntilCarrying("office", within: hold * 4 + .seconds(90))
        let back = clock.now() - repaired
        try await Task.sleep(for: .seconds(2) + .milliseconds(Int64.random(in: 0..<1000)))
        let since = try arrivals().filter { $0.arrived > repaired }
        return Event(gap: gap, lost: lost, back: back, lostBack: Self.lost(since))
    }

    /// Lets `trouble` happen, and counts what was lost and how often the route moved.
    package func watch(_ trouble: @Sendable (Site) async throws -> Void) async throws -> Watch {
        let before = try await switches()
        let begin = clock.now()
        try await trouble(site)
        let end = clock.now()
        let seen = try arrivals().filter { $0.sent > begin && $0.sent < end }
        let sent = Int((end - begin).inSeconds * Double(Self.rate))
        return Watch(
            sent: sent, lost: Self.lost(seen), switches: try await switches() - before)
    }

    package func waitUntilCarrying(_ name: String, within limit: Duration) async throws {
        try await site.waitUntil(within: limit, "\(name) carries", every: .milliseconds(150)) {
            guard let seen = try? await Seen(json: site.status()) else { return false }
            return seen.carrying == name
        }
    }

    private func switches() async throws -> Int {
        Int(try await Seen(json: site.status()).status.uplinkSwitches)
    }

    private func arrivals() throws -> [Flow.Arrival] {
        try SmallFile.readText(site.directory.log(stream.name), bytesMax: 64 << 20)
            .split(separator: "\n").compactMap { line in
                let numbers = line.split(separator: " ").compactMap { Int64($0) }
                guard numbers.count == 3 else { return nil }
                return Flow.Arrival(
                    number: UInt64(numbers[0]), sent: Instant(nanoseconds: numbers[1]),
                    arrived: Instant(nanoseconds: numbers[2]))
            }
    }

    /// From `begin` to the first datagram that came back after the longest row of lost ones; zero: none was lost.
    ///
    /// Told by what is missing: a pause of the bench itself, on a machine with other work, loses nothing.
    static func gap(_ arrivals: [Flow.Arrival], from begin: Instant) -> Duration {
        let back = arrivals.sorted { $0.number < $1.number }
        var longest: UInt64 = 1
        var end = begin
        for (before, after) in zip(back, back.dropFirst())
        where after.number - before.number > longest {
            longest = after.number - before.number
            end = after.arrived
        }
        return end - begin
    }

    private static func lost(_ arrivals: [Flow.Arrival]) -> Int {
        let numbers = arrivals.map(\.number)
        guard let first = numbers.min(), let last = numbers.max() else { return .max }
        return Int(last - first) + 1 - Set(numbers).count
    }
}
