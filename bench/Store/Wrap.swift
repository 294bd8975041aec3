import Base
import Glibc
import Linux
import Recorder

/// A ring that goes around many times while nobody reads, and is opened anew in between: is every record there or told
/// as lost, of each tag, and do the files stay within the quota?
enum Wrap {
    private struct Account {
        var appended: [String: UInt64] = [:]
        var found: [String: UInt64] = [:]
        var told: [String: UInt64] = [:]
        var delivered = 0
        var losses: UInt64 = 0
        var mostBytes: Int64 = 0
        var mostBlocks: Int64 = 0
        var writes = 0
    }

    /// What is written: machine data, and texts that hardly compress, which fill the ring.
    private struct Source {
        private var random = Mix.Random(value: 20)
        private var mix = Mix(Mix.standard, tags: 200)
        private var noise: [UInt8] = []

        init() { for _ in 0..<4_000_000 { noise.append(33 + UInt8(random.next() % 90)) } }

        mutating func readings() -> [Reading] {
            var readings = mix.poll()
            for n in 0..<40 {
                let length = 200 + Int(random.next() % 4000)
                let start = Int(random.next() % 3_900_000)
                let text = String(decoding: noise[start..<start + length], as: UTF8.self)
                readings.append(
                    Reading(
                        source: "plc-\(n % 10)", tag: "report-\(random.next() % 30)",
                        value: .string(text), time: readings[0].time))
            }
            return readings
        }
    }

    static func run(_ all: [String]) throws {
        guard let times = Double(all[1]), let size = ByteSize(all[2]) else { exit(2) }
        let directory = all[3]
        var source = Source()
        var account = Account()
        var openings = 0
        var rounds = 0.0
        while rounds < times {
            // In the round before, the daemon has ended without a word; now it comes back.
            var store = try StoreBench.store(directory, all[2])
            openings += 1
            for _ in 0..<1000 {
                try write(source.readings(), &store, directory, &account)
                rounds = turned(store)
                if rounds >= times { break }
            }
        }
        var store = try StoreBench.store(directory, all[2])
        try store.sync()
        var after: UInt64 = 0
        while let last = try take(&store, after, &account) { after = last }
        let isExact = account.appended.allSatisfy {
            $0.value == account.found[$0.key, default: 0] + account.told[$0.key, default: 0]
        }
        let strangers = Set(account.told.keys).union(account.found.keys)
            .subtracting(account.appended.keys)
        print(
            "appended \(account.appended.values.reduce(0, +)) tags \(account.appended.count) "
                + "delivered \(account.delivered) told \(account.losses) counter \(store.lost) "
                + "exact \(isExact && strangers.isEmpty) rounds \(rounds) openings \(openings + 1) "
                + "quota \(size.bytes) most_bytes \(account.mostBytes) "
                + "most_blocks \(account.mostBlocks)")
        guard isExact, strangers.isEmpty, account.losses == store.lost,
            max(account.mostBytes, account.mostBlocks) <= size.bytes
        else { exit(1) }
    }

    private static func write(
        _ readings: [Reading], _ store: inout RingStore, _ directory: String,
        _ account: inout Account
    ) throws {
        for reading in readings { account.appended[name(reading), default: 0] += 1 }
        account.writes += 1
        try store.append(readings, as: account.writes % 50 == 0 ? .log : .sample)
        if account.writes % 10 == 0 { try store.sync() }
        let (bytes, blocks) = footprint(directory)
        account.mostBytes = max(account.mostBytes, bytes)
        account.mostBlocks = max(account.mostBlocks, blocks)
    }

    private static func name(_ reading: Reading) -> String { reading.source + "/" + reading.tag }

    /// How often the segments were filled in the store's life.
    private static func turned(_ store: RingStore) -> Double {
        Double(store.pool.nextGeneration - 1) / Double(store.pool.sizes.count)
    }

    private static func take(_ store: inout RingStore, _ after: UInt64, _ account: inout Account)
        throws -> UInt64?
    {
        let batch = try store.batch(after: after, limit: 10_000)
        for record in batch {
            guard let loss = LossReport(record.reading) else {
                account.found[name(record.reading), default: 0] += 1
                account.delivered += 1
                continue
            }
            account.losses += loss.count
            for (source, tags) in loss.tags {
                for (tag, count) in tags { account.told[source + "/" + tag, default: 0] += count }
            }
        }
        // A loss record that was itself given up is counted within the one that tells of it.
        account.told[LossReport.source + "/" + LossReport.tag] = nil
        return batch.last?.sequence
    }

    /// All files of the directory and the directory itself: their lengths, and what they take of the disk.
    private static func footprint(_ directory: String) -> (bytes: Int64, blocks: Int64) {
        var (bytes, blocks): (Int64, Int64) = (0, 0)
        guard let list = opendir(directory) else { exit(1) }
        defer { closedir(list) }
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var about = stat()
            guard name != "..", fstatat(dirfd(list), name, &about, AT_SYMLINK_NOFOLLOW) == 0 else {
                continue
            }
            bytes += Int64(about.st_size)
            blocks += Int64(about.st_blocks) * 512
        }
        return (bytes, blocks)
    }
}
