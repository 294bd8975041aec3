package import Base

/// What is known of each tag of a machine, and which readings a poll makes of it.
///
/// A tag that cannot be read is recorded once, with quality bad, when that begins: not at every poll.
package struct TagStates: Sendable {
    package struct Tag: Sendable {
        package var name: String
        package var kind: RegisterKind
        package var order: WordOrder
        package var scale: Double?
        /// What must hold, so that it is recorded; nil: nothing.
        package var trigger: TagCondition?
        package var rule: TagLog.Rule

        package init(
            name: String, kind: RegisterKind, order: WordOrder = .abcd, scale: Double? = nil,
            trigger: TagCondition? = nil, rule: TagLog.Rule = .init()
        ) {
            self.name = name
            self.kind = kind
            self.order = order
            self.scale = scale
            self.trigger = trigger
            self.rule = rule
        }
    }

    /// What a poll brought for a tag: its registers, or nil if it could not be read.
    package typealias Answer = (tag: Int, words: ArraySlice<UInt16>?)

    private let machine: String
    private let tags: [Tag]
    private var values: [TagValue]
    private var isBad: [Bool]
    /// Whether a value was ever read: a trigger does not hold before.
    private var isKnown: [Bool]
    private var logs: [TagLog]

    package init(machine: String, tags: [Tag]) {
        self.machine = machine
        self.tags = tags
        values = tags.map { $0.kind.neutral(isScaled: $0.scale != nil) }
        isBad = tags.map { _ in false }
        isKnown = tags.map { _ in false }
        logs = tags.map { TagLog($0.rule) }
    }

    /// The machine answered. Triggers are judged by the values of this same poll, whatever their order.
    package mutating func polled(_ answers: [Answer], at time: Timestamp) -> [Reading] {
        let read = answers.map { index, words in
            words.flatMap {
                RegisterDecoder.decode(
                    $0, as: tags[index].kind, order: tags[index].order, scale: tags[index].scale)
            }
        }
        for (answer, value) in zip(answers, read) {
            isKnown[answer.tag] = value != nil
            if let value { values[answer.tag] = value }
        }
        return zip(answers, read).compactMap { answer, value in
            guard let value else { return failed(answer.tag, at: time) }
            return good(answer.tag, value, at: time)
        }
    }

    private mutating func good(_ index: Int, _ value: TagValue, at time: Timestamp) -> Reading? {
        isBad[index] = false
        let holds =
            tags[index].trigger.map { isKnown[$0.tag] && $0.holds(of: values[$0.tag]) } ?? true
        return logs[index].polled(value, at: time.monotonic, triggerHolds: holds).map {
            Reading(source: machine, tag: tags[index].name, value: $0, time: time)
        }
    }

    /// A tag could not be read; the reading is nil if that has been told.
    private mutating func failed(_ index: Int, at time: Timestamp) -> Reading? {
        isKnown[index] = false
        logs[index].failed()
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
