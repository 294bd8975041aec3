import Base
import Site

// Failures: how long the client waits.
extension FailoverCommand {
    private struct Profile: Sendable {
        var name: String
        var keepAlive: [String: String]

        static let all = [
            Profile(name: "interval 1 s", keepAlive: [:]),
            Profile(
                name: "interval 2 s",
                keepAlive: ["interval": "\"2s\"", "timeout": "\"1s\"", "successes": "2"]),
            Profile(
                name: "interval 5 s",
                keepAlive: ["interval": "\"5s\"", "timeout": "\"1s\"", "successes": "1"]),
            Profile(
                name: "fast, 250 ms",
                keepAlive: ["interval": "\"250ms\"", "timeout": "\"200ms\""]),
        ]
    }

    private static let hold = Duration.seconds(3)
    private static let soonBack = [
        "hold": "\"3s\"", "hold-max": "\"3s\"", "finish": "\"1s\"",
    ]

    static func failures(_ rounds: Int) -> [Trial] {
        Profile.all.map { profile in
            Trial(table: "silent", name: profile.name) { site in
                let lines = profile.keepAlive.merging(soonBack) { $1 }
                let bench = try await FailoverBench.begin(in: site, .daemon(lines))
                var events: [FailoverBench.Event] = []
                for _ in 0..<rounds {
                    events.append(
                        try await bench.round(hold: hold) { try await $0.cutSilently(.a) })
                }
                try await bench.end()
                return silentRow(profile.name, events)
            }
        } + [
            Trial(table: "cable", name: "a pulled cable") { try await cable($0, rounds * 5) },
            Trial(table: "return", name: "hold 30 s") { site in
                try await comeBack(site, max(1, rounds * 2 / 5))
            },
        ]
            + FailoverBench.Translation.allCases.map { translation in
                Trial(table: "flows", name: translation.rawValue) { site in
                    try await flows(site, translation, max(1, rounds / 2))
                }
            }
    }

    static func silentRow(_ name: String, _ events: [FailoverBench.Event]) -> String {
        "\(name) | \(events.count) | \(figures(events.map { $0.gap.milliseconds }, " ms"))"
            + " | \(figures(events.map { Double($0.lost) }))"
            + " | \(figures(events.compactMap { $0.back?.inSeconds }, " s"))"
            + " | \(figures(events.map { Double($0.lostBack) })) |"
    }

    private static func cable(_ site: Site, _ count: Int) async throws -> String {
        let bench = try await FailoverBench.begin(
            in: site,
            .daemon([
                "interval": "\"250ms\"", "timeout": "\"200ms\"", "successes": "1",
                "hold": "\"0s\"", "finish": "\"0s\"",
            ]))
        let cuts = try await bench.cuts(count)
        try await bench.end()
        let routes = cuts.map { $0.route.milliseconds }.sorted()
        guard let worst = routes.last else { return "a pulled cable | 0 |" }
        func hundredths(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        let percentile = routes[min(routes.count - 1, routes.count * 99 / 100)]
        return "a pulled cable | \(cuts.count) | \(hundredths(routes[routes.count / 2])) ms"
            + " | \(hundredths(percentile)) ms | \(hundredths(worst)) ms"
            + " | \(figures(cuts.map { $0.gap.milliseconds }, " ms"))"
            + " | \(figures(cuts.map { Double($0.lost) })) |"
    }

    /// As shipped: `hold = "30s"`.
    private static func comeBack(_ site: Site, _ rounds: Int) async throws -> String {
        let hold = Duration.seconds(30)
        let bench = try await FailoverBench.begin(
            in: site,
            .daemon(["hold": "\"30s\"", "hold-max": "\"30s\"", "finish": "\"1s\""]))
        var events: [FailoverBench.Event] = []
        for _ in 0..<rounds {
            events.append(try await bench.round(hold: hold) { try await $0.cutSilently(.a) })
        }
        try await bench.end()
        let times = events.compactMap { $0.back?.inSeconds }.sorted()
        let least = times.first.map(text) ?? "none"
        return "hold 30 s, interval 1 s | \(events.count) | \(least) … \(figures(times, " s"))"
            + " | \(figures(events.map { Double($0.lostBack) })) |"
    }

    private static func flows(
        _ site: Site, _ translation: FailoverBench.Translation, _ rounds: Int
    ) async throws -> String {
        let bench = try await FailoverBench.begin(in: site, .daemon(soonBack))
        let moves = try await bench.moves(rounds, translation)
        try await bench.end()
        let datagrams = moves.compactMap { $0.datagrams?.milliseconds }
        let resets = moves.flatMap { $0.resets.map(\.milliseconds) }
        let connections = moves.compactMap { $0.connection?.milliseconds }
        let resting = moves.map(\.restingBefore).reduce(0, +)
        return "\(translation.rawValue) | \(moves.count)"
            + " | \(datagrams.count) of \(moves.count): \(figures(datagrams, " ms"))"
            + " | \(connections.count) of \(moves.count): \(figures(connections, " ms"))"
            + " | \(resets.count) of \(resting): \(figures(resets, " ms"))"
            + " | \(moves.map(\.leftOver).max() ?? 0) |"
    }
}
