import CModbus
import Glibc
import Linux

/// One reading of the machine, as a technician's tool takes it. Blocks: for a process of its own.
package struct ModbusQuestion {
    package var address: String
    package var port: UInt16
    /// For the connection and for the answer, each.
    package var timeoutMilliseconds: UInt32

    package init(address: String, port: UInt16, timeoutMilliseconds: UInt32) {
        self.address = address
        self.port = port
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// The oven's temperature in °C: `input:0`, float32.
    package func ovenTemperature() throws -> Double {
        let words = try inputRegisters(from: 0, count: 2)
        return Double(Float(bitPattern: UInt32(words[0]) << 16 | UInt32(words[1])))
    }

    private func inputRegisters(from first: Int32, count: Int) throws -> [UInt16] {
        guard let context = modbus_new_tcp(address, Int32(port)) else {
            throw SystemError("make a Modbus client", code: errno)
        }
        defer { modbus_free(context) }
        let (seconds, rest) = (timeoutMilliseconds / 1000, timeoutMilliseconds % 1000)
        modbus_set_response_timeout(context, seconds, rest * 1000)
        guard modbus_connect(context) == 0 else { throw failure("connect to") }
        defer { modbus_close(context) }
        modbus_set_slave(context, 1)
        var words = [UInt16](repeating: 0, count: count)
        guard modbus_read_input_registers(context, first, Int32(count), &words) == count else {
            throw failure("read from")
        }
        return words
    }

    /// libmodbus has error numbers of its own beside errno's.
    private func failure(_ attempted: String) -> SiteError {
        // A connection that was not made in time is left "in progress".
        let code = errno == EINPROGRESS ? ETIMEDOUT : errno
        return SiteError(
            "cannot \(attempted) \(address):\(port): \(String(cString: modbus_strerror(code)))")
    }
}
