import Base
import Glibc
import Linux
import Logging
import Recorder
import Settings

/// Records until its machine loses its power, and when it is started again, checks first what must be there.
///
/// Everything that it has been promised it tells on standard output, a line each, which the machine outside keeps;
/// a record's value is its number, so that no two are alike:
///
///     ready             what was there is checked, and recording begins
///     taken N TIME      the samples up to number N were accepted, at this time since the boot, in ms
///     alarm N           alarm number N was accepted
///     given N ID        sample number N was handed out under this id
enum Cut {
    private static let alarms = "alarms"
    private static let samples = "samples"

    static func run(_ all: [String]) async throws {
        guard let seed = UInt64(all[1]), let size = ByteSize(all[2]) else { exit(2) }
        let recorder = try RecorderService(
            settings: Settings.Recorder(directory: all[3], size: size, sync: .seconds(1)),
            logger: Logger(label: "cut", factory: { _ in SwiftLogNoOpLogHandler() }))
        let next = try await check(recorder, told: try lines(of: all[4]))
        say("ready")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recorder.run() }
            group.addTask { try await tell(recorder) }
            group.addTask { try await record(recorder, from: next, seed: seed) }
            try await group.next()
            group.cancelAll()
        }
    }

    /// At once, in one piece.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }

    private static func lines(of path: String) throws -> [[Substring]] {
        guard let file = fopen(path, "r") else { exit(2) }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        // The last line may have been cut in the middle.
        return String(decoding: text, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { $0.split(separator: " ") }
    }

    /// What the runs before were promised, and whether it was kept. Returns the next number.
    private static func check(_ recorder: RecorderService, told: [[Substring]]) async throws -> Int
    {
        var there: [Int: UInt64] = [:]
        var numbers: [UInt64: Int] = [:]
        var alarmsThere: Set<Int> = []
        var losses: [ClosedRange<UInt64>] = []
        var after: UInt64 = 0
        var inOrder = true
        while true {
            let batch = try await recorder.batch(after: after, limit: 10_000)
            guard !batch.isEmpty else { break }
            for record in batch {
                inOrder = inOrder && record.sequence > after
                after = record.sequence
                if let loss = LossReport(record.reading) {
                    if let from = loss.from, let through = loss.through {
                        losses.append(from...through)
                    }
                    continue
                }
                guard let number = number(record.reading) else { continue }
                there[number] = record.sequence
                numbers[record.sequence] = number
                if record.reading.source == alarms { alarmsThere.insert(number) }
            }
        }
        var (missingAlarms, missingSamples, otherIDs) = (0, 0, 0)
        var (accepted, given, alarmsTold) = (0, 0, 0)
        var highest = there.keys.max() ?? 0
        var boot: [(number: Int, time: Int64)] = []
        for line in told {
            guard line.count >= 2, let number = Int(line[1]) else {
                // A machine of its own: times of the boot before do not compare.
                if line == ["ready"] { boot = [] }
                continue
            }
            highest = max(highest, number)
            let id = line.count > 2 ? UInt64(line[2]) ?? 0 : 0
            switch line[0] {
            case "alarm":
                alarmsTold += 1
                if !alarmsThere.contains(number) { missingAlarms += 1 }
            case "given":
                given += 1
                if let now = numbers[id] {
                    if now != number { otherIDs += 1 }
                } else if !losses.contains(where: { $0.contains(id) }) {
                    missingSamples += 1
                }
            case "taken":
                accepted += 1
                boot.append((number, Int64(line[2]) ?? 0))
            default: break
            }
        }
        // The newest accepted sample that is gone, against the newest that is there.
        let newest = there.keys.max() ?? 0
        let last = boot.last { $0.number <= newest }?.time
        let begun = boot.first?.time ?? 0
        let gone = boot.last.map { $0.number > newest ? $0.time - (last ?? begun) : 0 } ?? 0
        say(
            "checked alarms \(alarmsTold) missing \(missingAlarms) samples \(given) "
                + "missing \(missingSamples) accepted \(accepted) ids_of_others \(otherIDs) "
                + "in_order \(inOrder) gone_ms \(gone) records \(there.count) losses \(losses.count)"
        )
        return highest + 1
    }

    private static func number(_ reading: Reading) -> Int? {
        guard case .string(let text) = reading.value else { return nil }
        return Int(text.prefix { $0 != " " })
    }

    /// Samples all the time, an alarm now and then.
    private static func record(_ recorder: RecorderService, from first: Int, seed: UInt64)
        async throws
    {
        var random = Mix.Random(value: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
        var number = first
        let clock = SystemClock()
        while true {
            let time = clock.timestamp()
            var readings: [Reading] = []
            for _ in 0..<Int(1 + random.next() % 20) {
                let pad = (0..<Int(random.next() % 400)).map { _ in 97 + UInt8(random.next() % 26) }
                readings.append(
                    Reading(
                        source: samples, tag: "tag-\(number % 50)",
                        value: .string("\(number) " + String(decoding: pad, as: UTF8.self)),
                        time: time))
                number += 1
            }
            try await recorder.append(readings)
            say("taken \(number - 1) \(time.monotonic.nanoseconds / 1_000_000)")
            if random.happens(onceIn: 25) {
                let alarm = Reading(
                    source: alarms, tag: "door", value: .string("\(number)"), time: time)
                try await recorder.append([alarm], as: .alarm)
                say("alarm \(number)")
                number += 1
            }
            try await clock.sleep(until: clock.now() + .milliseconds(Int64(1 + random.next() % 20)))
        }
    }

    /// Reads what is safe, as a consumer would, and tells what it was given; it acknowledges nothing.
    private static func tell(_ recorder: RecorderService) async throws {
        var after = await recorder.status().lastSequence
        while true {
            try await recorder.waitForRecords(after: after)
            for record in try await recorder.batch(after: after, limit: 500) {
                after = record.sequence
                guard record.reading.source == samples, let number = number(record.reading) else {
                    continue
                }
                say("given \(number) \(record.sequence)")
            }
        }
    }
}
