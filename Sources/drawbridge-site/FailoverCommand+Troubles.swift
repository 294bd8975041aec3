import Base
import Site

// Trouble that is no failure: nothing may be lost by our own doing.
extension FailoverCommand {
    private typealias Trouble = @Sendable (Site) async throws -> Void

    /// Nothing is really dead, or not for long.
    static func troubles(_ seconds: Int) -> [Trial] {
        let asShipped = ["hold": "\"30s\"", "hold-max": "\"10m\""]
        // What a poor line deserves is another detector's task.
        let deadLine = asShipped.merging(["quality": "false"]) { $1 }
        return [10, 20, 30].map { percent in
            trouble("\(percent) % loss", deadLine) { site in
                try await site.addLoss(.a, percent: percent)
                try await Task.sleep(for: .seconds(seconds))
            }
        } + targets(seconds, asShipped) + [
            trouble("its line full, with 3 s of queue", asShipped) { site in
                try await site.narrow(.a, bitsPerSecond: 2_000_000, queue: .seconds(3))
                let parts = try await site.startUploads(2, from: .plc)
                try await Task.sleep(for: .seconds(seconds))
                for part in parts { await part.stop() }
                try await site.widen(.a)
            },
            trouble("stalls of 0.5 s, 7 s apart", deadLine) {
                try await stalls($0, seconds, [500], apart: .milliseconds(6500))
            },
            trouble(
                "cellular, stalls of 0.5 to 2 s, 15 s apart",
                deadLine.merging(["medium": "\"cellular\""]) { $1 }
            ) {
                try await stalls(
                    $0, seconds, [500, 1000, 2000, 1500], apart: .milliseconds(13_500))
            },
            trouble("8 s down, 8 s up, for 160 s", asShipped) { site in
                for _ in 0..<10 {
                    try await site.cutSilently(.a)
                    try await Task.sleep(for: .seconds(8))
                    try await site.restore(.a)
                    try await Task.sleep(for: .seconds(8))
                }
            },
            trouble("carrier 2 s down, 2 s up, for 60 s", asShipped) { site in
                for _ in 0..<15 {
                    try await site.pullCable(.a)
                    try await Task.sleep(for: .seconds(2))
                    try await site.plugCable(.a)
                    try await Task.sleep(for: .seconds(2))
                }
            },
            quality("20 % loss") { site in
                try await site.addLoss(.a, percent: 20)
            } end: {
                try await $0.restore(.a)
            },
            quality("30 % loss") { site in
                try await site.addLoss(.a, percent: 30)
            } end: {
                try await $0.restore(.a)
            },
            slow,
        ]
    }

    private static func stalls(
        _ site: Site, _ seconds: Int, _ lengths: [Int], apart: Duration
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        for length in repeatElement(lengths, count: seconds).joined() {
            guard ContinuousClock.now < end else { break }
            try await site.cutSilently(.a)
            try await Task.sleep(for: .milliseconds(length))
            try await site.restore(.a)
            try await Task.sleep(for: apart)
        }
    }

    /// The line works, but what the keep-alives ask does not answer, or not always; over no provider.
    private static func targets(_ seconds: Int, _ lines: [String: String]) -> [Trial] {
        func silent(_ name: String, _ targets: [String]) -> Trial {
            let list = targets.map { "\"\($0)\"" }.joined(separator: ", ")
            return trouble(name, lines.merging(["targets": "[\(list)]"]) { $1 }) { site in
                guard let dead = IPv4Address("9.9.9.9") else { return }
                for isp in ISP.allCases { try await site.silenceTarget(dead, over: isp) }
                try await Task.sleep(for: .seconds(seconds))
            }
        }
        return [
            silent("one dead target of three", ["9.9.9.9", "1.1.1.1", "203.0.113.10"]),
            silent("the only target dead", ["9.9.9.9"]),
            trouble("20 pings a minute let through", lines) { site in
                for isp in ISP.allCases { try await site.limitPings(isp, perMinute: 20) }
                try await Task.sleep(for: .seconds(seconds))
            },
        ]
    }

    private static func trouble(
        _ name: String, _ lines: [String: String], _ happens: @escaping Trouble
    ) -> Trial {
        Trial(table: "trouble", name: name) { site in
            let bench = try await FailoverBench.begin(in: site, .daemon(lines))
            let watch = try await bench.watch(happens)
            try await bench.end()
            return troubleRow(name, watch)
        }
    }

    static func troubleRow(_ name: String, _ watch: FailoverBench.Watch) -> String {
        let percent = Double(watch.lost) * 100 / Double(max(1, watch.sent))
        return "\(name) | \(watch.sent / FailoverBench.rate) s | \(watch.switches)"
            + " | \(watch.lost) of \(watch.sent) | \(text(percent)) % | \(watch.longest) |"
    }

    /// The line serves badly, and another one is measured to be better.
    private static func quality(
        _ name: String, begin: @escaping Trouble, end: @escaping Trouble
    ) -> Trial {
        Trial(table: "quality", name: name) { site in
            let bench = try await FailoverBench.begin(
                in: site, .daemon(["hold": "\"30s\"", "hold-max": "\"10m\""]))
            // What is usual on this line must be known.
            try await Task.sleep(for: .seconds(20))
            let begun = ContinuousClock.now
            try await begin(site)
            try await bench.waitUntilCarrying(.b, within: .seconds(90))
            let left = ContinuousClock.now - begun
            try await Task.sleep(for: .seconds(10))
            try await end(site)
            let clean = ContinuousClock.now
            try await bench.waitUntilCarrying(.a, within: .seconds(180))
            let back = ContinuousClock.now - clean
            let watch = try await bench.watch { _ in try await Task.sleep(for: .seconds(5)) }
            try await bench.end()
            return "\(name) | \(text(left.inSeconds)) s | \(text(back.inSeconds)) s"
                + " | \(watch.lost) |"
        }
    }

    /// Others fill the line: answers take far longer than usual.
    private static var slow: Trial {
        let uploads = Uploads()
        return quality("answers 0.3 s late, by others' uploads") { site in
            try await site.narrow(.a, bitsPerSecond: 4_000_000, queue: .milliseconds(300))
            await uploads.hold(try await site.startUploads(4, from: .office))
        } end: { site in
            await uploads.stop()
            try await site.widen(.a)
        }
    }

    private actor Uploads {
        private var parts: [Part] = []
        func hold(_ parts: [Part]) { self.parts = parts }
        func stop() async { for part in parts { await part.stop() } }
    }
}
