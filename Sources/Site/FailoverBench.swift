package import Base
import Glibc
import Linux

/// What a LAN client sees of failovers: a stream of 100 datagrams a second through the router to a service and back, while a
/// listener in the router notes what the kernel says of carriers and routes.
package struct FailoverBench: Sendable {
    /// Who leads the route: the daemon, or a rival in its place.
    package enum Keeper: Sendable {
        /// With `[[uplink]]`, `[keepalive]` and `[failover]` lines of its own.
        case daemon([String: String] = [:])
        case rival(Rival)
    }

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
        /// The longest row of lost ones.
        package var longest: Int
    }

    package static let rate = 100
    static let port: UInt16 = 5999
    package static let service = "203.0.113.10"

    package let site: Site
    let parts: [Part]
    let stream: Part
    private let listener: Part
    let clock = SystemClock()

    package static func begin(
        in site: Site, _ keeper: Keeper = .daemon()
    ) async throws -> FailoverBench {
        func part(_ place: Place, _ name: String, _ arguments: [String]) async throws -> Part {
            try await site.startBackground(
                in: place, name: name, [site.programs.site, name] + arguments)
        }
        let listener = try await part(.router, "watch-routes", [])
        let echo = try await part(.cloud, "echo", ["--port", "\(port)"])
        for part in [listener, echo] {
            try await part.waitUntilReady(saying: "listening", within: .seconds(30))
        }
        var parts = [listener, echo]
        switch keeper {
        case .daemon(let lines):
            try await site.startDaemon(config: try configuration(lines))
        case .rival(let rival):
            parts += try await rival.start(in: site)
        }
        let stream = try await part(
            .plc, "converse", ["--to", service, "--port", "\(port)", "--rate", "\(rate)"])
        let bench = FailoverBench(
            site: site, parts: parts, stream: stream, listener: listener)
        try await bench.waitUntilCarrying(.a, within: .seconds(60))
        try await Task.sleep(for: .seconds(3))
        return bench
    }

    private static func configuration(_ lines: [String: String]) throws -> String {
        var config = try Site.shippedConfiguration()
            .replacing("lan-to-wan = \"neither\"", with: "lan-to-wan = \"both\"")
            // Many sites share a disk, and the ring takes its room at once.
            .replacing("\nsize = \"8GB\"", with: "\nsize = \"64MB\"")
        for (key, value) in lines {
            var isSet = false
            let old = config.split(separator: "\n", omittingEmptySubsequences: false)
            let isPlain = old.contains { $0.hasPrefix("\(key) = ") }
            // The first one of its name, as [keepalive] and [failover] have: or the preferred uplink's.
            config = old.map { line in
                guard !isSet, line.hasPrefix(isPlain ? "\(key) = " : "#\(key) = ") else {
                    return String(line)
                }
                isSet = true
                return "\(key) = \(value)"
            }.joined(separator: "\n")
            guard isSet else { throw SiteError("the shipped config has no key \(key)") }
        }
        return config
    }

    package func end() async throws {
        for part in [stream] + parts.reversed() { await part.stop() }
        if await site.isDaemonRunning { try await site.stopDaemon() }
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
        let returned = try await waitUntilCarrying(.a, within: hold * 4 + .seconds(90))
        try await Task.sleep(for: .seconds(2) + .milliseconds(Int64.random(in: 0..<1000)))
        let since = try arrivals().filter { $0.arrived > repaired }
        return Event(
            gap: gap, lost: lost, back: returned - repaired, lostBack: Self.lost(since))
    }

    /// Lets `trouble` happen, and counts what was lost and how often the route moved.
    package func watch(_ trouble: @Sendable (Site) async throws -> Void) async throws -> Watch {
        let begin = clock.now()
        try await trouble(site)
        let end = clock.now()
        let seen = try arrivals().filter { $0.sent > begin && $0.sent < end }
        let sent = Int((end - begin).inSeconds * Double(Self.rate))
        let moves = try heard().filter { $0.what == .carries && $0.at > begin && $0.at < end }
        return Watch(
            sent: sent, lost: max(Self.lost(seen), sent - seen.count - Self.rate / 10),
            switches: moves.count, longest: Self.longest(seen))
    }

    /// Returns when the route began to lead over a provider.
    @discardableResult
    package func waitUntilCarrying(_ isp: ISP, within limit: Duration) async throws -> Instant {
        var since: Instant?
        try await site.waitUntil(
            within: limit, "\(isp.routerInterface) carries", every: .milliseconds(100)
        ) {
            let last = try heard().last { $0.what == .carries }
            since = last?.interface == isp.routerInterface ? last?.at : nil
            return since != nil
        }
        return since ?? clock.now()
    }

    func heard() throws -> [RouteWatch.Heard] {
        RouteWatch.parse(try log(of: listener))
    }

    func log(of part: Part) throws -> String {
        try SmallFile.readText(site.directory.log(part.name), bytesMax: 64 << 20)
    }

    func arrivals() throws -> [Flow.Arrival] {
        try log(of: stream).split(separator: "\n").compactMap { line in
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

    static func lost(_ arrivals: [Flow.Arrival]) -> Int {
        let numbers = arrivals.map(\.number)
        guard let first = numbers.min(), let last = numbers.max() else { return .max }
        return Int(last - first) + 1 - Set(numbers).count
    }

    private static func longest(_ arrivals: [Flow.Arrival]) -> Int {
        let numbers = arrivals.map(\.number).sorted()
        return zip(numbers, numbers.dropFirst()).map { Int($1 - $0) - 1 }.max() ?? 0
    }
}
