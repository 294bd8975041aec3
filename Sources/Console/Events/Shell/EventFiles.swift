import Base
import Glibc
import Linux

/// The event log as files in a directory, `events-NUMBER.jsonl`, named after their first entry.
///
/// One program appends, any number read.
package struct EventFiles: EventStore {
    private let directory: String

    private let fileBytesMax: Int

    package init(directory: String, fileBytesMax: Int = EventLimits.fileBytesMax) {
        self.directory = directory
        self.fileBytesMax = fileBytesMax
    }

    package func open() throws -> (last: EventEntry?, repaired: String?) {
        try Directory.make(directory)
        let names = try Self.names(directory)
        // The newest file may hold nothing whole: then the one before has the last entry.
        var repaired: String?
        for name in names.reversed() {
            let path = "\(directory)/\(name)"
            let bytes = try SmallFile.read(path, bytesMax: EventLimits.fileBytesMax * 2)
            let whole = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
            if whole < bytes.count {
                repaired =
                    "\(bytes.count - whole) bytes of an entry that a power cut left unfinished"
                _ = try check("cut \(path)") { truncate(path, off_t(whole)) }
            }
            guard whole > 0 else { continue }
            let line = bytes[..<(whole - 1)].split(separator: 10).last ?? []
            guard let entry = Self.entry(line) else {
                throw ConsoleError(
                    "the last entry of \(path) cannot be read; move the file away to begin anew")
            }
            return (entry, repaired)
        }
        return (nil, repaired)
    }

    package func append(_ entries: [EventEntry]) throws {
        guard let first = entries.first else { return }
        var names = try Self.names(directory)
        var name = names.last ?? ""
        let bytes = try entries.flatMap { try $0.line() }
        if name.isEmpty || size(name) + bytes.count > fileBytesMax {
            let digits = String(first.number)
            name =
                "events-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
                + ".jsonl"
            names.append(name)
        }
        let path = "\(directory)/\(name)"
        let file = try FileDescriptor(open: path, flags: O_WRONLY | O_APPEND | O_CREAT)
        let raw = file.raw
        let before = lseek(raw, 0, SEEK_END)
        do {
            try file.writeAll(bytes)
            _ = try check("sync \(path)") { fdatasync(raw) }
        } catch {
            // Half an entry would stand before the next one.
            if before >= 0 { ftruncate(raw, before) }
            throw error
        }
        if before == 0 { try syncDirectory() }
        for old in names.dropLast(EventLimits.filesMax) { unlink("\(directory)/\(old)") }
    }

    private func size(_ name: String) -> Int {
        var about = stat()
        return stat("\(directory)/\(name)", &about) == 0 ? Int(about.st_size) : 0
    }

    private func syncDirectory() throws(SystemError) {
        let opened = try FileDescriptor(open: directory, flags: O_RDONLY | O_DIRECTORY)
        let raw = opened.raw
        _ = try check("sync \(directory)") { fsync(raw) }
    }

    // MARK: - Reading

    /// What a reader finds in a line.
    package enum Line: Sendable {
        case entry(EventEntry)
        case damaged(file: String, line: Int)
    }

    /// All lines from the entry after `number` on, the oldest first; at most `limit` of the newest.
    ///
    /// No further file is read once there are `enough` entries.
    package static func read(
        _ directory: String, after number: UInt64 = 0, limit: Int = .max, enough: Int = .max
    ) throws -> [Line] {
        var lines: [Line] = []
        var found = 0
        let names = try names(directory)
        for (index, name) in names.enumerated() {
            // A file ends where the next one begins.
            if index + 1 < names.count, let next = firstNumber(names[index + 1]),
                next <= number + 1
            {
                continue
            }
            let path = "\(directory)/\(name)"
            let bytes = try SmallFile.read(path, bytesMax: EventLimits.fileBytesMax * 2)
            // What is behind the last line feed is being written.
            let whole = bytes.lastIndex(of: 10) ?? 0
            for (row, line) in bytes[..<whole].split(separator: 10).enumerated() {
                guard let entry = entry(line) else {
                    lines.append(.damaged(file: path, line: row + 1))
                    continue
                }
                guard entry.number > number else { continue }
                lines.append(.entry(entry))
                found += 1
            }
            if found >= enough { break }
        }
        return limit < lines.count ? Array(lines.suffix(limit)) : lines
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> EventEntry? {
        guard line.count <= EventLimits.lineBytesMax else { return nil }
        return try? ConsoleJSON.decode(EventEntry.self, from: Array(line))
    }

    private static func firstNumber(_ name: String) -> UInt64? {
        UInt64(name.dropFirst("events-".count).dropLast(".jsonl".count))
    }

    private static func names(_ directory: String) throws(SystemError) -> [String] {
        guard let stream = opendir(directory) else {
            throw SystemError("read \(directory)", code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix("events-"), name.hasSuffix(".jsonl"), firstNumber(name) != nil {
                names.append(name)
            }
        }
        return names.sorted()
    }
}
