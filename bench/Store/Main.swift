import Base
import Glibc
import Linux
import Recorder

/// Measures the recorder's store, without the daemon: one line of `name value` pairs a run.
///
///     store-bench mix standard|noisy TAGS SECONDS SIZE DIRECTORY    a commit each simulated second
///     store-bench fill SIZE DIRECTORY                               until the ring is full
///     store-bench open SIZE DIRECTORY                               opens it, and accepts a record
///     store-bench replay SIZE DIRECTORY                             reads all blocks, as stored and as records
///     store-bench ingest TAGS EACH SECONDS SIZE DIRECTORY           as fast as it goes, a commit each real second
///     store-bench wrap TIMES SIZE DIRECTORY                         around and around, and nobody reads
///     store-bench cut SEED SIZE DIRECTORY TOLD                      checks what TOLD says, then goes on until it is killed
@main
struct StoreBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let all = Array(arguments)
        switch all.first {
        case "mix" where all.count == 6: try mix(all)
        case "fill" where all.count == 3: try fill(all)
        case "open" where all.count == 3: try open(all)
        case "replay" where all.count == 3: try replay(all)
        case "ingest" where all.count == 6: try Ingest.run(all)
        case "wrap" where all.count == 4: try Wrap.run(all)
        case "cut" where all.count == 5: try await Cut.run(all)
        default:
            print("usage: see bench/Store/Main.swift")
            exit(2)
        }
    }

    static func store(_ directory: String, _ size: String) throws -> RingStore {
        guard let size = ByteSize(size) else { exit(2) }
        return try RingStore(
            try DirectoryFiles(path: directory), quota: size, bootID: try SystemClock.bootID(),
            now: { SystemClock().timestamp() })
    }

    private static func mix(_ all: [String]) throws {
        guard let tags = Int(all[2]), let seconds = Int(all[3]) else { exit(2) }
        var mix = Mix(all[1] == "noisy" ? Mix.noisy : Mix.standard, tags: tags)
        var store = try store(all[5], all[4])
        var spent = Duration.zero
        var cpu = 0.0
        for _ in 0..<seconds {
            let readings = mix.poll()
            let begun = SystemClock().now()
            let before = Usage.cpuSeconds()
            try store.append(readings)
            try store.sync()
            cpu += Usage.cpuSeconds() - before
            spent = spent + (SystemClock().now() - begun)
        }
        try store.seal()
        let samples = tags * seconds
        let stored = store.pool[.sample].reduce(0) { $0 + $1.bytes }
        print(
            "samples \(samples) stored \(stored) lost \(store.lost) wall \(spent.inSeconds) "
                + "cpu \(cpu) rss_kb \(Usage.peakKilobytes())")
    }

    private static func fill(_ all: [String]) throws {
        var store = try store(all[2], all[1])
        var random = Mix.Random(value: 7)
        var pool: [UInt8] = []
        for _ in 0..<4_000_000 { pool.append(33 + UInt8(random.next() % 90)) }
        let target = store.pool.capacity
        var n = 0
        // Texts that hardly compress fill the ring quickly.
        while store.pool.bytes < target - (64 << 20), store.lost == 0 {
            var readings: [Reading] = []
            for _ in 0..<16 {
                n += 1
                let start = Int(random.next() % 3_900_000)
                readings.append(
                    Reading(
                        source: "plc-1", tag: "text",
                        value: .string(
                            String(decoding: pool[start..<start + 60_000], as: UTF8.self)),
                        time: SystemClock().timestamp()))
            }
            try store.append(readings)
        }
        try store.sync()
        print("records \(n) bytes \(store.pool.bytes) segments \(store.pool.sizes.count)")
    }

    private static func open(_ all: [String]) throws {
        let begun = SystemClock().now()
        var store = try store(all[2], all[1])
        let opened = SystemClock().now()
        let cpu = Usage.cpuSeconds()
        try store.append([
            Reading(
                source: "plc-1", tag: "t", value: .integer(1), time: SystemClock().timestamp())
        ])
        try store.sync()
        let accepted = SystemClock().now()
        print(
            "open_ms \((opened - begun).milliseconds) accept_ms \((accepted - begun).milliseconds) "
                + "cpu_ms \(cpu * 1000) "
                + "rss_kb \(Usage.peakKilobytes()) first \(store.firstSequence) last \(store.lastSequence)"
        )
    }

    private static func replay(_ all: [String]) throws {
        var reader = try LogReader(path: all[2])
        var begun = SystemClock().now()
        let verdict = try reader.verify { _ in true }
        let stored = SystemClock().now() - begun
        let storedCPU = Usage.cpuSeconds()
        begun = SystemClock().now()
        var records = 0
        var after: UInt64 = 0
        while true {
            let batch = try reader.batch(after: after, limit: 10_000)
            guard let last = batch.last, (SystemClock().now() - begun) < .seconds(30) else { break }
            records += batch.count
            after = last.sequence
        }
        let decoded = SystemClock().now() - begun
        print(
            "stored_bytes \(verdict.bytes) stored_s \(stored.inSeconds) cpu_s \(storedCPU) "
                + "damaged \(verdict.damaged) "
                + "records \(records) decoded_s \(decoded.inSeconds) rss_kb \(Usage.peakKilobytes())"
        )
    }
}
