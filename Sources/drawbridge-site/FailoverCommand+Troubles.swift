import Base
import Site

// Trouble that is no failure: nothing may be lost by our own doing.
extension FailoverCommand {
    /// Nothing is really dead, or not for long.
    static func troubles(_ site: Site, _ seconds: Int) async throws {
        let bench = try await FailoverBench.begin(
            in: site, keepAlive: [:],
            failover: [
                "hold": "\"30s\"", "hold-max": "\"10m\"", "quality": "false",
            ])
        for percent in [10, 20, 30] {
            let watch = try await bench.watch { site in
                try await site.addLoss(.a, percent: percent)
                try await Task.sleep(for: .seconds(seconds))
                try await site.restore(.a)
            }
            row("\(percent) % loss for \(seconds) s", watch)
        }
        try await bench.waitUntilCarrying("office", within: .seconds(120))
        let stalls = try await bench.watch { site in
            for _ in 0..<10 {
                try await site.cutSilently(.a)
                try await Task.sleep(for: .milliseconds(500))
                try await site.restore(.a)
                try await Task.sleep(for: .seconds(6))
            }
        }
        row("10 stalls of 500 ms", stalls)
        // An earlier failure would lengthen the hold, and be counted here.
        try await bench.waitUntilCarrying("office", within: .seconds(120))
        row(
            "down 8 s, up 8 s, for 160 s",
            try await bench.watch { site in
                for _ in 0..<10 {
                    try await site.cutSilently(.a)
                    try await Task.sleep(for: .seconds(8))
                    try await site.restore(.a)
                    try await Task.sleep(for: .seconds(8))
                }
            })
        try await bench.end()
        try await carrier(site)
        try await targets(site, seconds)
        try await brownOut(site)
    }

    /// The line works, but what the keep-alives ask does not answer, or not always.
    private static func targets(_ site: Site, _ seconds: Int) async throws {
        guard let first = IPv4Address("1.1.1.1"), let second = IPv4Address("9.9.9.9") else {
            return
        }
        let cases: [(name: String, targets: [String], fault: @Sendable (Site) async throws -> Void)]
        cases = [
            (
                "one dead target of three", ["1.1.1.1", "9.9.9.9", "203.0.113.10"],
                { site in
                    for isp in ISP.allCases { try await site.silenceTarget(first, over: isp) }
                }
            ),
            (
                "the only target dead", ["9.9.9.9"],
                { site in
                    for isp in ISP.allCases { try await site.silenceTarget(second, over: isp) }
                }
            ),
            (
                "20 pings a minute let through", ["1.1.1.1", "9.9.9.9"],
                { site in
                    for isp in ISP.allCases { try await site.limitPings(isp, perMinute: 20) }
                }
            ),
        ]
        for trouble in cases {
            let list = trouble.targets.map { "\"\($0)\"" }.joined(separator: ", ")
            let bench = try await FailoverBench.begin(
                in: site, keepAlive: ["targets": "[\(list)]"], failover: ["quality": "false"])
            let watch = try await bench.watch { site in
                try await trouble.fault(site)
                try await Task.sleep(for: .seconds(seconds))
            }
            for isp in ISP.allCases { try await site.restore(isp) }
            row("\(trouble.name), for \(seconds) s", watch)
            try await bench.end()
        }
    }

    private static func carrier(_ site: Site) async throws {
        let bench = try await FailoverBench.begin(
            in: site, keepAlive: [:],
            failover: [
                "hold": "\"30s\"", "hold-max": "\"10m\"",
            ])
        row(
            "carrier down 2 s, up 2 s, for 60 s",
            try await bench.watch { site in
                for _ in 0..<15 {
                    try await site.pullCable(.a)
                    try await Task.sleep(for: .seconds(2))
                    try await site.plugCable(.a)
                    try await Task.sleep(for: .seconds(2))
                }
            })
        try await bench.end()
    }

    private static func brownOut(_ site: Site) async throws {
        let bench = try await FailoverBench.begin(in: site, keepAlive: [:], failover: [:])
        try await Task.sleep(for: .seconds(20))
        let begin = ContinuousClock.now
        try await site.addLoss(.a, percent: 30)
        try await bench.waitUntilCarrying("wifi", within: .seconds(90))
        let left = ContinuousClock.now - begin
        try await site.restore(.a)
        let clean = ContinuousClock.now
        try await bench.waitUntilCarrying("office", within: .seconds(180))
        let back = ContinuousClock.now - clean
        Output.line(
            "| 30 % loss, with the verdict about quality | left after \(text(left / .seconds(1))) s"
                + " | back \(text(back / .seconds(1))) s after it ended | |")
        try await bench.end()
    }

    private static func row(_ name: String, _ watch: FailoverBench.Watch) {
        let percent = Double(watch.lost) * 100 / Double(max(1, watch.sent))
        Output.line(
            "| \(name) | \(watch.switches) | \(watch.lost) of \(watch.sent) | \(text(percent)) % |")
    }
}
