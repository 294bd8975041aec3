package import Base

extension Settings {
    /// `[[machine]]`
    package struct Machine: Equatable, Sendable {
        package var name: String
        /// `modbus = "tcp://address:port"`; of no meaning with `serial`.
        package var address: IPv4Address
        package var port: UInt16
        /// `serial`: Modbus RTU over a serial line; nil: Modbus TCP.
        package var serial: SerialLine?
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

        /// Where it is: `192.168.140.10:502`, or `/dev/ttyUSB0 unit 3`.
        package var place: String {
            serial.map { "\($0.device) unit \(unit)" } ?? "\(address):\(port)"
        }
    }

    /// `serial = { … }`: a line that speaks Modbus RTU; several units may share one.
    package struct SerialLine: Hashable, Sendable {
        package enum Parity: String, CaseIterable, Sendable {
            case even, odd, none
        }

        /// `device`: a path such as `/dev/ttyUSB0`.
        package var device: String
        /// `baud`: bits a second, one of `rates`.
        package var baud = 19_200
        package var parity = Parity.even
        /// `stop`: stop bits, 1 or 2.
        package var stopBits = 1
        /// `rs485`: whether the kernel's driver switches the transmitter by itself.
        package var usesRS485 = false

        /// What libmodbus can set.
        package static let rates = [
            1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600,
        ]

        package init(device: String) { self.device = device }
    }

    /// `[[machine.tag]]`
    package struct Tag: Equatable, Sendable {
        package var name: String
        package var register: Register
        package var type: RegisterType
        /// `order`: of the bytes in the registers.
        package var order: WordOrder
        /// `scale`: raw × scale = value; makes an integer type a double.
        package var scale: Double?
        package var log: Log

        package init(
            name: String, register: Register, type: RegisterType, order: WordOrder = .abcd,
            scale: Double? = nil, every: Duration
        ) {
            self.name = name
            self.register = register
            self.type = type
            self.order = order
            self.scale = scale
            log = Log(every: every)
        }
    }

    /// `log = { … }`: how often a tag is read, and which values are recorded.
    package struct Log: Equatable, Sendable {
        /// `on`
        package enum Occasion: String, CaseIterable, Sendable {
            case poll, change
        }

        /// `keep`: what is made of the values of an interval.
        package enum Keep: String, CaseIterable, Sendable {
            case all, average, minimum, maximum, first, last, increase, duration
        }

        /// `every`: how often it is read, 100 ms … 1 d
        package var every: Duration
        package var on = Occasion.poll
        /// `deadband`: a number must differ by more than this, not negative.
        package var deadband = 0.0
        /// `expiry`: an unchanged value is recorded again after this time, 1 s … 30 d; nil: never.
        package var expiry: Duration?
        /// `when`: recorded only while this holds.
        package var when: Condition?
        package var keep = Keep.all
        /// `over`: the interval of `keep`, 1 s … 1 d
        package var over = Duration.seconds(60)

        package init(every: Duration) {
            self.every = every
        }
    }

    /// `when = "press.running"`, `"!press.door"`, `"oven.temperature > 200"`
    package struct Condition: Equatable, Sendable {
        /// Another tag of the machine.
        package var tag: String
        package var comparison: Comparison
        package var number: Double

        package init(tag: String, comparison: Comparison, number: Double) {
            self.tag = tag
            self.comparison = comparison
            self.number = number
        }
    }

    /// `order`, written for four bytes, A the highest: CDAB has the low word first.
    package enum WordOrder: String, CaseIterable, Sendable {
        case abcd = "ABCD"
        case badc = "BADC"
        case cdab = "CDAB"
        case dcba = "DCBA"
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

    /// `type = …`
    package enum RegisterType: Equatable, Sendable {
        case bool, int16, uint16, int32, uint32, float32, int64, uint64, float64
        /// `"string:16"`: so many bytes, two in a register, padded with zeros; 1…250.
        case string(bytes: Int)
    }
}
