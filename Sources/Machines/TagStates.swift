package import Base

/// What is known of each tag of a machine, and which readings a poll makes of it.
///
/// A tag that cannot be read is recorded once, with quality bad, when that begins: not at every poll.
package struct TagStates: Sendable {
    package struct Tag: Sendable {
        package var name: String
        package var kind: RegisterKind
        package var scale: Double?

        package init(name: String, kind: RegisterKind, scale: Double? = nil) {
            self.name = name
            self.kind = kind
            self.scale = scale
        }
    }

    private let machine: String
    private let tags: [Tag]
    private var values: [TagValue]
    private var isBad: [Bool]

    package init(machine: String, tags: [Tag]) {
        self.machine = machine
        self.tags = tags
        values = tags.map { $0.kind.neutral(isScaled: $0.scale != nil) }
        isBad = tags.map { _ in false }
    }

    /// The machine answered for a tag.
    package mutating func answered(_ index: Int, _ words: ArraySlice<UInt16>, at time: Timestamp)
        -> Reading?
    {
        let tag = tags[index]
        guard let value = RegisterDecoder.decode(words, as: tag.kind, scale: tag.scale) else {
            return failed(index, at: time)
        }
        values[index] = value
        isBad[index] = false
        return Reading(source: machine, tag: tag.name, value: value, time: time)
    }

    /// A tag could not be read; the reading is nil if that has been told.
    package mutating func failed(_ index: Int, at time: Timestamp) -> Reading? {
        guard !isBad[index] else { return nil }
        isBad[index] = true
        return Reading(
            source: machine, tag: tags[index].name, value: values[index], quality: .bad, time: time)
    }

    /// No tag can be read: the machine is unreachable.
    package mutating func allFailed(at time: Timestamp) -> [Reading] {
        tags.indices.compactMap { failed($0, at: time) }
    }
}
