import Base

/// What only machines and the key switch have.
struct ModbusTarget: Sendable {
    var address: IPv4Address
    var port: UInt16
}

extension Settings.Machine {
    /// The two values of the key `modbus`.
    var modbus: ModbusTarget {
        get { ModbusTarget(address: address, port: port) }
        set { (address, port) = (newValue.address, newValue.port) }
    }
}

extension Kind where Value == ModbusTarget {
    /// `tcp://address:port`
    static let modbus = Kind.quoted(
        "a Modbus TCP server", hint: "tcp://address:port, such as \"tcp://192.168.140.10:502\"",
        text: { "tcp://\($0.address):\($0.port)" }
    ) { text throws(Refusal) in
        guard text.hasPrefix("tcp://") else { return nil }
        let parts = text.dropFirst(6).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            throw Refusal("is IPv6; only IPv4 is supported, such as tcp://192.168.140.10:502")
        }
        guard parts.count == 2, let address = IPv4Address(parts[0]) else { return nil }
        guard let port = TransportPort("tcp/\(parts[1])") else {
            try refusePort(parts[1])
            return nil
        }
        return ModbusTarget(address: address, port: port.port)
    }
}

extension Kind where Value == Settings.Register {
    static let register = Kind(
        "a register",
        hint: "coil, discrete, input or holding, and an address, such as \"holding:100\"",
        range: "0 to 65535", text: { "\"\($0.table.rawValue):\($0.address)\"" }
    ) { value throws(Refusal) in
        let text: String
        switch value {
        case .string(let string): text = string
        case .integer(let number): text = "\(number)"
        default: return nil
        }
        if let meant = conventional(text) {
            throw Refusal("is not a register; if it is number \(text), write \"\(meant)\"")
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let table = Settings.Register.Table(rawValue: String(parts[0])),
            !parts[1].isEmpty, parts[1].utf8.allSatisfy(\.isDigit)
        else { return nil }
        guard let address = UInt16(parts[1]) else {
            throw Refusal("is out of range; addresses are 0 to 65535, counted from zero")
        }
        return Settings.Register(table: table, address: address)
    }

    /// What the numbers of PLC manuals, such as 40001, are called here; nil for any other text.
    private static func conventional(_ text: String) -> String? {
        guard text.utf8.count == 5, let number = Int(decimal: text) else { return nil }
        return switch number {
        case 10001...19999: "discrete:\(number - 10001)"
        case 30001...39999: "input:\(number - 30001)"
        case 40001...49999: "holding:\(number - 40001)"
        default: nil
        }
    }
}

extension Kind where Value == Settings.RegisterType {
    private static let plain: [(name: String, type: Settings.RegisterType)] = [
        ("bool", .bool), ("int16", .int16), ("uint16", .uint16), ("int32", .int32),
        ("uint32", .uint32), ("float32", .float32), ("int64", .int64), ("uint64", .uint64),
        ("float64", .float64),
    ]

    static let registerType = Kind.quoted(
        "a type",
        hint: "bool, int16, uint16, int32, uint32, float32, int64, uint64, float64 or "
            + "\"string:16\"",
        range: "bool, int16, uint16, int32, uint32, float32, int64, uint64, float64 or "
            + "string:1 to string:250",
        text: { type in
            if case .string(let bytes) = type { return "string:\(bytes)" }
            return plain.first { $0.type == type }?.name ?? ""
        }
    ) { text throws(Refusal) in
        if let known = plain.first(where: { $0.name == text }) { return known.type }
        guard text.hasPrefix("string:"), let bytes = Int(decimal: text.dropFirst(7)) else {
            return nil
        }
        guard (1...250).contains(bytes) else {
            throw Refusal("is out of range; write string:1 to string:250")
        }
        return .string(bytes: bytes)
    }
}

extension Kind where Value == Settings.Condition {
    static let condition = Kind.quoted(
        "a condition",
        hint: "a tag of the machine, such as \"press.running\", \"!press.door\" or "
            + "\"oven.temperature > 200\"",
        text: { "\($0.tag) \($0.comparison.rawValue) \($0.number)" }
    ) { text in
        let parts = text.split(separator: " ").map { String($0) }
        switch parts.count {
        case 1:
            let isNot = parts[0].hasPrefix("!")
            let tag = String(parts[0].drop { $0 == "!" })
            guard !tag.isEmpty else { return nil }
            return Settings.Condition(
                tag: tag, comparison: isNot ? .equal : .unequal, number: 0)
        case 3:
            guard let comparison = Comparison(rawValue: parts[1]),
                let number = Double(parts[2]), number.isFinite
            else { return nil }
            return Settings.Condition(tag: parts[0], comparison: comparison, number: number)
        default: return nil
        }
    }
}

extension Kind where Value == Settings.KeySwitch.Line {
    static let line = Kind(
        "a GPIO line", hint: "its name in quotes, or its number",
        range: "1 to 31 bytes, or 0 to 65535",
        text: { line in
            switch line {
            case .offset(let number): "\(number)"
            case .name(let name): "\"\(name)\""
            }
        }
    ) { value throws(Refusal) in
        switch value {
        case .integer(let number):
            guard (0...65535).contains(number) else {
                throw Refusal("is out of range; write 0 to 65535")
            }
            return .offset(UInt32(number))
        case .string(let name):
            guard (1...31).contains(name.utf8.count), !name.utf8.contains(where: \.isControl)
            else { throw Refusal("cannot name a GPIO line; write 1 to 31 bytes") }
            // A name and a number are different wires: whoever writes "3" may mean either.
            guard !name.utf8.allSatisfy(\.isDigit) else {
                throw Refusal(
                    "is a number in quotes; for line number \(name) write it without quotes, "
                        + "and a line that is named so by its number")
            }
            return .name(name)
        default: return nil
        }
    }
}
