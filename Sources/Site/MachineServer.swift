import Base
import CModbus
import Glibc
import Linux

/// The emulated machine as a Modbus TCP server on libmodbus. Blocks: it has a process of its own.
package struct MachineServer {
    private let port: UInt16
    private var model = MachineModel()
    private var generator = SystemRandomNumberGenerator()
    private var reads: UInt32 = 0

    /// Most clients at a time; a further one is closed at once.
    private static let clientsMax = 16
    private static let stepEvery = Duration.milliseconds(100)
    private static let setpointAtStart: UInt16 = 1800
    private static let holdingCount: Int32 = 600

    package init(port: UInt16) {
        self.port = port
    }

    /// Serves until the process ends; `isListening` is called when clients may come.
    package mutating func run(isListening: () -> Void) throws {
        guard let context = modbus_new_tcp("0.0.0.0", Int32(port)),
            let registers = modbus_mapping_new(16, 16, Self.holdingCount, 32)
        else { throw SystemError("make a Modbus server", code: errno) }
        defer {
            modbus_mapping_free(registers)
            modbus_free(context)
        }
        // A client that sends half a request must not hold up the others.
        modbus_set_indication_timeout(context, 0, 200_000)
        let listener = modbus_tcp_listen(context, 4)
        guard listener >= 0 else { throw SystemError("listen on port \(port)", code: errno) }
        registers.pointee.tab_registers[0] = Self.setpointAtStart
        registers.pointee.tab_bits[0] = 1
        isListening()

        var clients: [Int32] = []
        var nextStep = SystemClock().now()
        while true {
            let now = SystemClock().now()
            if now >= nextStep {
                move(registers)
                nextStep = max(nextStep + Self.stepEvery, now)
            }
            var polled = ([listener] + clients).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            let wait = (nextStep - now).nanoseconds / 1_000_000 + 1
            guard poll(&polled, nfds_t(polled.count), Int32(wait)) > 0 else { continue }
            for entry in polled where entry.revents != 0 && entry.fd != listener {
                if !answer(entry.fd, context, registers) {
                    close(entry.fd)
                    clients.removeAll { $0 == entry.fd }
                }
            }
            if polled[0].revents != 0 {
                let client = accept(listener, nil, nil)
                if client >= 0, clients.count < Self.clientsMax {
                    clients.append(client)
                } else if client >= 0 {
                    close(client)
                }
            }
        }
    }

    private mutating func move(_ registers: UnsafeMutablePointer<modbus_mapping_t>) {
        let setpoint = Int16(bitPattern: registers.pointee.tab_registers[0])
        model.step(setpoint: Double(setpoint) / 10, using: &generator)
        for (index, word) in model.inputs.enumerated() {
            registers.pointee.tab_input_registers[index] = word
        }
        registers.pointee.tab_input_bits[0] = model.isRunning ? 1 : 0
        for (index, word) in model.series.enumerated() {
            registers.pointee.tab_registers[MachineModel.seriesStart + index] = word
        }
    }

    /// Answers one request; false when the client is gone.
    private mutating func answer(
        _ client: Int32, _ context: OpaquePointer,
        _ registers: UnsafeMutablePointer<modbus_mapping_t>
    ) -> Bool {
        modbus_set_socket(context, client)
        var query = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
        let length = modbus_receive(context, &query)
        // Zero: a request for another unit, which libmodbus has let pass.
        guard length != 0 else { return true }
        guard length > 0 else { return false }
        let header = Int(modbus_get_header_length(context))
        if MachineModel.readsCounter(Array(query[header..<max(header, Int(length))])) {
            reads &+= 1
            let words = MachineModel.words(reads)
            registers.pointee.tab_registers[10] = words[0]
            registers.pointee.tab_registers[11] = words[1]
        }
        return modbus_reply(context, query, length, registers) >= 0
    }
}
