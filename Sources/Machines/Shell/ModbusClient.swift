package import Base
private import CModbus
import Glibc
package import Settings

/// Why a machine did not answer.
package struct ModbusError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `"192.168.140.10:502"`, or `"/dev/ttyUSB0 unit 3"`
    package var machine: String
    /// `"read 4 input registers at 0"`; nil if that is of no interest.
    package var attempted: String?
    /// An errno value, or one of libmodbus's own above `MODBUS_ENOBASE`.
    package var code: Int32

    /// In words that say where to look; in libmodbus's where those will do.
    package var text: String {
        switch code {
        case ETIMEDOUT where attempted != nil: "no answer in time"
        // A connection that was not made in time is left "in progress".
        case EINPROGRESS, ETIMEDOUT, EHOSTUNREACH:
            "no answer: is the machine on, and its cable plugged in?"
        case ENOENT, ENXIO, ENODEV: "no such device: is the adapter plugged in?"
        case EACCES, EPERM: "permission denied: may the daemon use this device?"
        case ECONNREFUSED: "it refuses connections: is its Modbus TCP server on, at this port?"
        default: String(cString: modbus_strerror(code))
        }
    }

    /// Whether the machine itself refused (a Modbus exception): the connection is fine.
    package var isRefusal: Bool {
        let exception = Int(code) - Int(MODBUS_ENOBASE)
        return (1..<Int(MODBUS_EXCEPTION_MAX)).contains(exception)
    }

    /// Whether the machine does not have the registers that were asked for, or not all of them.
    package var isUnknownAddress: Bool {
        Int(code) == Int(MODBUS_ENOBASE) + Int(MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS)
    }

    package var description: String {
        machine + ": " + (attempted.map { "cannot \($0): " } ?? "") + text
    }
}

/// A connection to a Modbus machine, by TCP or over a serial line. Its calls block, at most for the time-out, and on a
/// shared line for the turns of others.
package struct ModbusClient: ~Copyable {
    private let context: OpaquePointer
    private let machine: String
    private let line: SerialTurn?

    package init(_ machine: Settings.Machine) throws(ModbusError) {
        if let serial = machine.serial {
            try self.init(serial, unit: machine.unit, timeout: machine.timeout, machine.place)
        } else {
            try self.init(
                address: machine.address, port: machine.port, unit: machine.unit,
                timeout: machine.timeout)
        }
    }

    /// Opens the line. The corresponding functions are `modbus_new_rtu`, `modbus_connect` and
    /// `modbus_rtu_set_serial_mode`.
    private init(
        _ serial: Settings.SerialLine, unit: UInt8, timeout: Duration, _ machine: String
    ) throws(ModbusError) {
        self.machine = machine
        let parity: UInt8 =
            switch serial.parity {
            case .even: UInt8(ascii: "E")
            case .odd: UInt8(ascii: "O")
            case .none: UInt8(ascii: "N")
            }
        guard
            let context = modbus_new_rtu(
                serial.device, Int32(serial.baud), CChar(parity), 8, Int32(serial.stopBits))
        else { throw ModbusError(machine: machine, attempted: "make a connection", code: errno) }
        if let error = Self.connect(context, machine, unit: unit, timeout: timeout) {
            modbus_free(context)
            throw error
        }
        if serial.usesRS485, modbus_rtu_set_serial_mode(context, MODBUS_RTU_RS485) != 0 {
            let code = errno
            modbus_close(context)
            modbus_free(context)
            throw ModbusError(machine: machine, attempted: "switch to RS-485 mode", code: code)
        }
        self.context = context
        line = SerialTurn.of(serial)
    }

    /// Connects. The corresponding functions are `modbus_new_tcp` and `modbus_connect`.
    package init(address: IPv4Address, port: UInt16, unit: UInt8, timeout: Duration)
        throws(ModbusError)
    {
        machine = "\(address):\(port)"
        guard let context = modbus_new_tcp("\(address)", Int32(port)) else {
            throw ModbusError(machine: machine, attempted: "make a connection", code: errno)
        }
        if let error = Self.connect(context, machine, unit: unit, timeout: timeout) {
            modbus_free(context)
            throw error
        }
        self.context = context
        line = nil
    }

    private static func connect(
        _ context: OpaquePointer, _ machine: String, unit: UInt8, timeout: Duration
    ) -> ModbusError? {
        guard modbus_set_slave(context, Int32(unit)) == 0 else {
            return ModbusError(machine: machine, attempted: "use unit \(unit)", code: errno)
        }
        let microseconds = max(1, timeout.nanoseconds / 1000)
        modbus_set_response_timeout(
            context, UInt32(microseconds / 1_000_000), UInt32(microseconds % 1_000_000))
        // Zero: the whole answer must be there within the time-out, however it trickles in.
        modbus_set_byte_timeout(context, 0, 0)
        guard modbus_connect(context) == 0 else {
            return ModbusError(machine: machine, attempted: nil, code: errno)
        }
        return nil
    }

    deinit {
        modbus_close(context)
        modbus_free(context)
    }

    /// Reads registers, or bits as words of 0 and 1.
    ///
    /// The corresponding functions are `modbus_read_bits`, `…_input_bits`, `…_registers`, `…_input_registers`.
    package borrowing func read(_ read: PollPlan.Read) throws(ModbusError) -> [UInt16] {
        guard let line else { return try exchange(read) }
        line.begin()
        defer { line.end() }
        // What another unit has answered too late is no answer to us.
        modbus_flush(context)
        return try exchange(read)
    }

    private borrowing func exchange(_ read: PollPlan.Read) throws(ModbusError) -> [UInt16] {
        let address = Int32(read.address)
        let count = Int32(read.count)
        var words = [UInt16](repeating: 0, count: read.count)
        var bits = [UInt8](repeating: 0, count: read.table.isBits ? read.count : 0)
        let (result, what) =
            switch read.table {
            case .coil: (modbus_read_bits(context, address, count, &bits), "coils")
            case .discrete:
                (modbus_read_input_bits(context, address, count, &bits), "discrete inputs")
            case .input:
                (modbus_read_input_registers(context, address, count, &words), "input registers")
            case .holding:
                (modbus_read_registers(context, address, count, &words), "holding registers")
            }
        guard result == count else {
            let code = errno
            let error = ModbusError(
                machine: machine, attempted: "read \(count) \(what) at \(address)", code: code)
            throw error
        }
        return read.table.isBits ? bits.map { UInt16($0) } : words
    }
}
