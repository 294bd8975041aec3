package import Base
import Glibc
import Linux

/// What a process costs, as `/proc` tells it (proc(5)).
package struct ProcessCost: Sendable {
    package var name: String
    /// Processor time per second of running.
    package var processorShare: Double
    package var resident: ByteSize
    /// Its part of what it shares with others, and what it does not share.
    package var proportional: ByteSize

    /// `early`: its processor time `period` ago.
    init(of process: Int32, since early: Duration, over period: Duration) throws {
        name = Self.name(of: process)
        processorShare =
            (try Self.processorTime(of: process) - early).inSeconds / period.inSeconds
        resident = try Self.memory("VmRSS:", of: process)
        proportional = try Self.memory("Pss:", of: process, file: "smaps_rollup")
    }

    /// A line of `/proc/PID/status` in kibibytes.
    static func memory(
        _ name: String, of process: Int32, file: String = "status"
    ) throws -> ByteSize {
        let text = try SmallFile.readText("/proc/\(process)/\(file)")
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        guard let fields = line?.split(whereSeparator: \.isWhitespace), fields.count == 3,
            let kibibytes = Int64(fields[1])
        else { throw SiteError("cannot find \(name) of process \(process)") }
        return ByteSize(bytes: kibibytes * 1024)
    }

    /// What is resident of files that it has mapped (`/proc/PID/smaps`).
    static func resident(of process: Int32, inFiles isMeant: (String) -> Bool) throws -> ByteSize {
        var (kibibytes, isCounted): (Int64, Bool) = (0, false)
        for line in try SmallFile.readText("/proc/\(process)/smaps").split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.first?.last != ":" {
                // ADDRESSES PERMISSIONS OFFSET DEVICE INODE [PATH]
                isCounted = fields.count >= 6 && isMeant(String(fields[5]))
            } else if isCounted, fields[0] == "Rss:", fields.count > 1 {
                kibibytes += Int64(fields[1]) ?? 0
            }
        }
        return ByteSize(bytes: kibibytes * 1024)
    }

    /// User and system time of all threads (fields 14 and 15 of `/proc/PID/stat`).
    static func processorTime(of process: Int32) throws -> Duration {
        try processorTime(stat: "/proc/\(process)/stat").time
    }

    private static func processorTime(stat path: String) throws -> (name: String, time: Duration) {
        let text = try SmallFile.readText(path)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12]) else {
            throw SiteError("cannot read \(path)")
        }
        let name = text.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
        return (String(name), .seconds(1) * (user + system) / sysconf(Int32(_SC_CLK_TCK)))
    }

    static func name(of process: Int32) -> String {
        ((try? SmallFile.readText("/proc/\(process)/comm")) ?? "").filter { $0 != "\n" }
    }

    /// A child of any thread of a process.
    static func child(named wanted: String, of process: Int32) -> Int32? {
        numbers(in: "/proc/\(process)/task").lazy.flatMap { thread in
            let text = try? SmallFile.readText("/proc/\(process)/task/\(thread)/children")
            return (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }.first { name(of: $0) == wanted }
    }

    /// The processor time of each thread up to now, by its number.
    static func threads(of process: Int32) -> [Int32: (name: String, time: Duration)] {
        var threads: [Int32: (name: String, time: Duration)] = [:]
        for thread in numbers(in: "/proc/\(process)/task") {
            threads[thread] = try? processorTime(stat: "/proc/\(process)/task/\(thread)/stat")
        }
        return threads
    }

    /// What each spent per second since then, the busiest first.
    static func threads(
        of process: Int32, since early: [Int32: (name: String, time: Duration)],
        over period: Duration
    ) -> [(name: String, share: Double)] {
        threads(of: process).map { number, now in
            let before = early[number]?.time ?? .zero
            return (now.name, (now.time - before).inSeconds / period.inSeconds)
        }.sorted { $0.1 > $1.1 }
    }

    private static func numbers(in folder: String) -> [Int32] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var numbers: [Int32] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name) { numbers.append(number) }
        }
        return numbers
    }
}
