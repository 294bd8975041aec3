import Settings

extension Settings.Tag {
    var item: PollPlan.Item {
        PollPlan.Item(
            table: table, address: Int(register.address), count: kind.count, every: every)
    }

    var state: TagStates.Tag { TagStates.Tag(name: name, kind: kind, scale: scale) }

    private var table: RegisterTable {
        switch register.table {
        case .coil: .coil
        case .discrete: .discrete
        case .input: .input
        case .holding: .holding
        }
    }

    private var kind: RegisterKind {
        switch type {
        case .bool: .bool
        case .int16: .int16
        case .uint16: .uint16
        case .int32: .int32
        case .uint32: .uint32
        case .float32: .float32
        case .string(let bytes): .string(bytes: bytes)
        }
    }
}
