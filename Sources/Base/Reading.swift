/// What a tag can hold.
package enum TagValue: Hashable, Sendable {
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    /// UTF-8, at most `Reading.valueBytesMax` bytes.
    case string(String)
}

/// Whether a source vouches for a value.
package enum Quality: UInt8, Sendable {
    /// Read from the machine as asked.
    case good = 0
    /// The machine did not answer; the value is the last known one, or a neutral one.
    case bad = 1
}

/// When something was seen: exact since boot, and by the wall clock of that moment.
package struct Timestamp: Hashable, Sendable {
    package var monotonic: Instant
    package var wall: WallTime

    package init(monotonic: Instant, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// One value that a source read from a machine: what flows from Machines to the Recorder.
package struct Reading: Hashable, Sendable {
    /// The machine it comes from: `[[machine]] name`.
    package var source: String
    /// The tag's name within the machine.
    package var tag: String
    package var value: TagValue
    package var quality: Quality
    /// When the poll that brought it was answered.
    package var time: Timestamp
    /// Whether its wall time is by the source's own clock: then the router's says nothing against it.
    package var isTimedBySource: Bool

    /// Longest string value, in bytes.
    package static let valueBytesMax = 64 * 1024

    package init(
        source: String, tag: String, value: TagValue, quality: Quality = .good, time: Timestamp,
        isTimedBySource: Bool = false
    ) {
        self.source = source
        self.tag = tag
        self.value = value
        self.quality = quality
        self.time = time
        self.isTimedBySource = isTimedBySource
    }
}

/// A reading that is in the ring: what flows from the Recorder to the Cloud.
package struct Record: Hashable, Sendable {
    /// Position in the ring: 1, 2, 3, … without gaps for the life of a store.
    package var sequence: UInt64
    /// The kernel's boot id under which it was read: monotonic times compare only within one boot.
    package var bootID: BootID
    package var reading: Reading
    /// Whether the reading's wall time is not what the router's clock showed, but what it should have shown: it was
    /// set right later in the same boot.
    package var isTimeCorrected: Bool

    package init(
        sequence: UInt64, bootID: BootID, reading: Reading, isTimeCorrected: Bool = false
    ) {
        self.sequence = sequence
        self.bootID = bootID
        self.reading = reading
        self.isTimeCorrected = isTimeCorrected
    }
}

/// The 16 bytes of `/proc/sys/kernel/random/boot_id`.
package struct BootID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the UUID text form, `"9f0a…-…"`; nil if it is not 32 hexadecimal digits with dashes.
    package init?(_ text: some StringProtocol) {
        let digits = String(text.filter { $0 != "-" && !$0.isWhitespace })
        guard digits.utf8.count == 32, digits.allSatisfy(\.isHexDigit),
            let high = UInt64(digits.prefix(16), radix: 16),
            let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}
