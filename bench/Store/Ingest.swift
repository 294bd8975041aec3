import Base
import Glibc
import Linux
import Recorder

/// How many samples a second the store takes, all on one thread, with a commit in each second of real time.
enum Ingest {
    /// So many polls are made beforehand, and come again with new times.
    private static let pollsKept = 60

    static func run(_ all: [String]) throws {
        guard let tags = Int(all[1]), let each = Int(all[2]), let seconds = Int(all[3]),
            tags > 0, each > 0, seconds > 0
        else { exit(2) }
        var mix = Mix(Mix.standard, tags: tags)
        var polls = (0..<pollsKept).map { _ in mix.poll() }
        var store = try StoreBench.store(all[5], all[4])
        let clock = SystemClock()
        let (user, kernel) = (Usage.userSeconds(), Usage.kernelSeconds())
        let begun = clock.now()
        var nextCommit = begun + .seconds(1)
        var samples = 0
        var commits = 0
        var slowest = Duration.zero
        let wallStart: Int64 = 1_790_000_000_000
        var second: Int64 = 0
        while clock.now() - begun < .seconds(seconds) {
            let poll = Int(second) % pollsKept
            second += 1
            let time = Timestamp(
                monotonic: Instant(nanoseconds: second * 1_000_000_000),
                wall: WallTime(milliseconds: wallStart + second * 1000))
            for index in polls[poll].indices { polls[poll][index].time = time }
            var start = 0
            while start < polls[poll].count {
                let end = min(start + each, polls[poll].count)
                try store.append(
                    start == 0 && end == tags ? polls[poll] : Array(polls[poll][start..<end]))
                start = end
            }
            samples += polls[poll].count
            guard clock.now() >= nextCommit else { continue }
            let before = clock.now()
            try store.sync()
            slowest = max(slowest, clock.now() - before)
            commits += 1
            nextCommit = nextCommit + .seconds(1)
        }
        try store.sync()
        let wall = (clock.now() - begun).inSeconds
        print(
            "samples \(samples) wall \(wall) user \(Usage.userSeconds() - user) "
                + "kernel \(Usage.kernelSeconds() - kernel) commits \(commits + 1) "
                + "slowest_ms \(slowest.milliseconds) lost \(store.lost) "
                + "rss_kb \(Usage.peakKilobytes())")
    }
}
