package import Base

extension Settings {
    /// `[[machine]]`
    package struct Machine: Equatable, Sendable {
        package var name: String
        /// `modbus = "tcp://address:port"`
        package var address: IPv4Address
        package var port: UInt16
        /// `unit`: the Modbus unit id, 0…255.
        package var unit: UInt8
        /// `timeout` for one answer, 50 ms … 10 s
        package var timeout: Duration
        package var tags: [Tag]

        package init(
            name: String, address: IPv4Address, port: UInt16, unit: UInt8, timeout: Duration,
            tags: [Tag]
        ) {
            self.name = name
            self.address = address
            self.port = port
            self.unit = unit
            self.timeout = timeout
            self.tags = tags
        }
    }

    /// `[[machine.tag]]`
    package struct Tag: Equatable, Sendable {
        package var name: String
        package var register: Register
        package var type: RegisterType
        /// `scale`: raw × scale = value; makes an integer type a double.
        package var scale: Double?
        /// `log.every`: how often it is read and recorded, 100 ms … 1 d
        package var every: Duration

        package init(
            name: String, register: Register, type: RegisterType, scale: Double? = nil,
            every: Duration
        ) {
            self.name = name
            self.register = register
            self.type = type
            self.scale = scale
            self.every = every
        }
    }

    /// `register = "holding:100"`: table and zero-based address.
    package struct Register: Hashable, Sendable {
        package enum Table: String, CaseIterable, Sendable {
            case coil, discrete, input, holding
        }
        package var table: Table
        package var address: UInt16

        package init(table: Table, address: UInt16) {
            self.table = table
            self.address = address
        }
    }

    /// `type = …`; two-register types are big-endian, high word first (ABCD).
    package enum RegisterType: Equatable, Sendable {
        case bool, int16, uint16, int32, uint32, float32
        /// `"string:16"`: so many bytes, two in a register, padded with zeros; 1…250.
        case string(bytes: Int)
    }
}
