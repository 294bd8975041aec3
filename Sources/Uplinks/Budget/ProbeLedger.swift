package import Base

/// What the probes of each uplink have taken, month by month.
///
/// Each month has an entry of its own. A clock that is set forward and back again finds the same entry as before, so no
/// step of it loses or forgives anything within the months that are kept.
package struct ProbeLedger: Equatable, Sendable {
    /// Most entries, and most of one uplink; what was written least recently goes first.
    package static let entriesMax = 32
    static let monthsMax = 4
    /// Longest file that is read.
    package static let fileBytesMax = 4096

    /// A month of the calendar, in UTC.
    package struct Month: Hashable, Sendable {
        /// Months since the year 0.
        var number: Int

        package init(_ time: CivilTime) { number = time.year * 12 + time.month - 1 }

        /// `2026-11`
        init?(_ text: Substring) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
                let year = Int(parts[0]), let month = Int(parts[1]), year >= 0,
                (1...12).contains(month)
            else { return nil }
            number = year * 12 + month - 1
        }

        var text: String {
            let year = String(number / 12 + 10_000).dropFirst()
            return "\(year)-\(String(number % 12 + 101).dropFirst())"
        }
    }

    private struct Entry: Equatable, Sendable {
        var uplink: String
        /// nil: the clock was not right, and no earlier month is known.
        var month: Month?
        var bytes: Int64
    }

    /// The most recently written one last.
    private var entries: [Entry] = []

    package init() {}

    /// Bytes in a month; nil for the month: the clock is not right, which counts on in the last one.
    package func used(by uplink: String, in month: Month?) -> Int64 {
        index(uplink, month).map { entries[$0].bytes } ?? 0
    }

    package mutating func add(_ bytes: Int, to uplink: String, in month: Month?) {
        guard let index = index(uplink, month) else {
            let others = entries.indices.filter { entries[$0].uplink == uplink }
            if others.count >= Self.monthsMax { entries.remove(at: others[0]) }
            if entries.count >= Self.entriesMax { entries.removeFirst() }
            entries.append(Entry(uplink: uplink, month: month, bytes: Int64(bytes)))
            return
        }
        var entry = entries[index]
        entry.month = month ?? entry.month
        let (sum, overflows) = entry.bytes.addingReportingOverflow(Int64(bytes))
        entry.bytes = overflows ? .max : sum
        if index != entries.count - 1 {
            entries.remove(at: index)
            entries.append(entry)
        } else {
            entries[index] = entry
        }
    }

    /// What another one has counted besides.
    package mutating func add(_ other: ProbeLedger) {
        for entry in other.entries {
            add(Int(clamping: entry.bytes), to: entry.uplink, in: entry.month)
        }
    }

    /// What was counted before the clock was right belongs to the first month that is known.
    private func index(_ uplink: String, _ month: Month?) -> Int? {
        guard let month else { return entries.lastIndex { $0.uplink == uplink } }
        return entries.lastIndex { $0.uplink == uplink && $0.month == month }
            ?? entries.lastIndex { $0.uplink == uplink && $0.month == nil }
    }
}

// The file: a line for each entry, `2026-11 1234567 lte`; `-` for a month that is not known.
extension ProbeLedger {
    /// What can be read of a file; a line that was damaged is left out.
    package init(file text: String) {
        for line in text.split(separator: "\n").prefix(Self.entriesMax) {
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, let bytes = Int64(words[1]), bytes >= 0 else { continue }
            let month = Month(words[0])
            guard month != nil || words[0] == "-" else { continue }
            let uplink = String(words[2])
            guard !entries.contains(where: { $0.uplink == uplink && $0.month == month }) else {
                continue
            }
            entries.append(Entry(uplink: uplink, month: month, bytes: bytes))
        }
    }

    package var file: [UInt8] {
        Array(
            entries.map { "\($0.month?.text ?? "-") \($0.bytes) \($0.uplink)\n" }.joined().utf8)
    }
}
