import Settings

extension Settings.Machine {
    /// A trigger that names no tag of the machine is refused with the config file.
    var states: [TagStates.Tag] {
        let places = Dictionary(
            zip(tags.map(\.name), tags.indices), uniquingKeysWith: { first, _ in first })
        return tags.map { tag in
            TagStates.Tag(
                name: tag.name, kind: tag.kind, order: tag.wordOrder, scale: tag.scale,
                trigger: tag.log.when.flatMap { condition in
                    places[condition.tag].map {
                        TagCondition(
                            tag: $0, comparison: condition.comparison, number: condition.number)
                    }
                }, rule: tag.log.rule)
        }
    }
}

extension Settings.Log {
    fileprivate var rule: TagLog.Rule {
        let aggregate: TagLog.Aggregate? =
            switch keep {
            case .all: nil
            case .average: .average
            case .minimum: .minimum
            case .maximum: .maximum
            case .first: .first
            case .last: .last
            case .increase: .increase
            case .duration: .duration
            }
        return TagLog.Rule(
            aggregate: aggregate.map { ($0, over) },
            onChange: on == .change ? .init(deadband: deadband, expiry: expiry) : nil)
    }
}

extension Settings.Tag {
    var item: PollPlan.Item {
        PollPlan.Item(
            table: table, address: Int(register.address), count: kind.count, every: log.every)
    }

    fileprivate var wordOrder: WordOrder {
        switch order {
        case .abcd: .abcd
        case .badc: .badc
        case .cdab: .cdab
        case .dcba: .dcba
        }
    }

    private var table: RegisterTable {
        switch register.table {
        case .coil: .coil
        case .discrete: .discrete
        case .input: .input
        case .holding: .holding
        }
    }

    fileprivate var kind: RegisterKind {
        switch type {
        case .bool: .bool
        case .int16: .int16
        case .uint16: .uint16
        case .int32: .int32
        case .uint32: .uint32
        case .float32: .float32
        case .int64: .int64
        case .uint64: .uint64
        case .float64: .float64
        case .string(let bytes): .string(bytes: bytes)
        }
    }
}
