import CModbus
import Glibc
import Linux
import Synchronization

/// A machine: libmodbus's own server on 127.0.0.1, on a thread of its own.
///
/// Holding register 0 counts the requests. Addresses end at `registers`.
final class ModbusServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let client = Mutex<Int32>(-1)
    private let isStopped = Atomic(false)

    /// Port 0 is any; each table has `registers` registers or bits; every answer takes `delay`.
    init(port: UInt16 = 0, registers: Int32 = 100, delay: Duration = .zero) throws(SystemError) {
        (listener, self.port) = try Self.listen(port)
        BlockingThread.start(name: "test-plc") { [listener, self] in
            serve(registers: registers, delay: delay)
            close(listener)
        }
    }

    fileprivate static func listen(_ port: UInt16) throws(SystemError) -> (Int32, UInt16) {
        let raw = try check("make a socket") {
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        var one: Int32 = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                address throws(SystemError) in
                _ = try check("bind to port \(port)") { bind(raw, address, length) }
                _ = try check("listen") { Glibc.listen(raw, 4) }
                _ = try check("ask for the port") { getsockname(raw, address, &length) }
            }
        }
        return (raw, UInt16(bigEndian: address.sin_port))
    }

    /// Hangs up and listens no more.
    func stop() {
        isStopped.store(true, ordering: .sequentiallyConsistent)
        shutdown(listener, Int32(SHUT_RDWR))
        client.withLock { client in
            if client >= 0 { shutdown(client, Int32(SHUT_RDWR)) }
        }
    }

    private func serve(registers: Int32, delay: Duration) {
        guard let context = modbus_new_tcp("127.0.0.1", Int32(port)),
            let map = modbus_mapping_new(registers, registers, registers, registers)
        else { return }
        defer {
            modbus_mapping_free(map)
            modbus_free(context)
        }
        Self.fill(map.pointee)
        var request = [UInt8](repeating: 0, count: 260)
        while !isStopped.load(ordering: .sequentiallyConsistent) {
            let accepted = accept(listener, nil, nil)
            guard accepted >= 0 else { continue }
            client.withLock { $0 = accepted }
            modbus_set_socket(context, accepted)
            while !isStopped.load(ordering: .sequentiallyConsistent) {
                let length = modbus_receive(context, &request)
                if length < 0 { break }
                if length == 0 { continue }
                map.pointee.tab_registers[0] &+= 1
                if delay > .zero { usleep(UInt32(delay.components.seconds * 1_000_000)) }
                modbus_reply(context, request, length, map)
            }
            client.withLock { $0 = -1 }
            close(accepted)
        }
    }

    private static func fill(_ map: modbus_mapping_t) {
        map.tab_bits[0] = 1
        map.tab_bits[20] = 1
        map.tab_input_bits[3] = 1
        let input: [UInt16] = [
            0x4348, 0x8000, 0x0001, 0x86a0, 0xffff, 0xfff0, 0, 0, 0x5255, 0x4e4e, 0x494e, 0x4700,
        ]
        for (index, word) in input.enumerated() { map.tab_input_registers[index] = word }
        map.tab_registers[1] = 1805
        map.tab_registers[2] = 0xfff6
    }
}

/// Takes connections, but never answers: what a hung machine does.
final class SilentServer: Sendable {
    let port: UInt16
    private let listener: FileDescriptor

    init() throws(SystemError) {
        let (raw, port) = try ModbusServer.listen(0)
        listener = FileDescriptor(owning: raw)
        self.port = port
    }
}
