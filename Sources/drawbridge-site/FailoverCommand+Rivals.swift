import Base
import Site

// Debian's programs in the daemon's place.
extension FailoverCommand {
    static func rivals(_ seconds: Int) -> [Trial] {
        Rival.allCases.map { rival in
            Trial(table: "rivals", name: rival.rawValue) { site in
                if let obstacle = rival.obstacle { return "\(rival.rawValue) | \(obstacle) |" }
                let bench = try await FailoverBench.begin(in: site, .rival(rival))
                var events: [FailoverBench.Event] = []
                for _ in 0..<5 {
                    events.append(
                        try await bench.round(hold: .seconds(10)) {
                            try await $0.cutSilently(.a)
                        })
                }
                let watch = try await bench.watch { site in
                    try await site.addLoss(.a, percent: 10)
                    try await Task.sleep(for: .seconds(min(seconds, 180)))
                }
                try await bench.end()
                return "\(rival.rawValue)"
                    + " | \(figures(events.map { $0.gap.milliseconds }, " ms"))"
                    + " | \(figures(events.map { Double($0.lost) }))"
                    + " | \(watch.switches) in \(watch.sent / FailoverBench.rate) s |"
            }
        }
    }
}
