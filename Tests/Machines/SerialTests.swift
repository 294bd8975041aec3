import Base
import CModbus
import Glibc
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Machines
@testable import Settings

/// Modbus RTU over a pseudo-terminal: at its other end libmodbus's own server, as one or several units.
final class SerialServer: Sendable {
    let device: String
    private let master: FileDescriptor
    /// Open as long as this: a line does not hang up when its last client leaves.
    private let slave: FileDescriptor
    private let isStopped = Atomic(false)
    /// Requests of each unit.
    let requests = Mutex<[UInt8: Int]>([:])

    /// Those `units` answer, after `delay`; all others are silent.
    init(units: Set<UInt8>, delay: Duration = .zero) throws(SystemError) {
        let (raw, path) = try Self.pseudoTerminal()
        master = FileDescriptor(owning: raw)
        device = path
        slave = try FileDescriptor(open: device, flags: O_RDWR | O_NOCTTY)
        var settings = termios()
        tcgetattr(slave.raw, &settings)
        cfmakeraw(&settings)
        tcsetattr(slave.raw, TCSANOW, &settings)
        BlockingThread.start(name: "test-drive") { [self] in serve(units, delay) }
    }

    /// Its functions are hidden from Swift behind a feature macro of <stdlib.h>.
    private static func pseudoTerminal() throws(SystemError) -> (Int32, String) {
        typealias Number = @convention(c) (Int32) -> Int32
        typealias Name = @convention(c) (Int32, UnsafeMutablePointer<CChar>, Int) -> Int32
        guard let open = dlsym(nil, "posix_openpt"), let grant = dlsym(nil, "grantpt"),
            let unlock = dlsym(nil, "unlockpt"), let name = dlsym(nil, "ptsname_r")
        else { throw SystemError("find posix_openpt", code: ENOSYS) }
        let raw = try check("open a pseudo-terminal") {
            unsafeBitCast(open, to: Number.self)(O_RDWR | O_NOCTTY | O_CLOEXEC)
        }
        _ = try check("grant a pseudo-terminal") { unsafeBitCast(grant, to: Number.self)(raw) }
        _ = try check("unlock a pseudo-terminal") { unsafeBitCast(unlock, to: Number.self)(raw) }
        var path = [CChar](repeating: 0, count: 64)
        guard unsafeBitCast(name, to: Name.self)(raw, &path, path.count) == 0 else {
            throw SystemError("name a pseudo-terminal", code: errno)
        }
        let bytes = path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return (raw, String(decoding: bytes, as: UTF8.self))
    }

    func stop() { isStopped.store(true, ordering: .sequentiallyConsistent) }

    private func serve(_ units: Set<UInt8>, _ delay: Duration) {
        guard let context = modbus_new_rtu(device, 19_200, CChar(UInt8(ascii: "E")), 8, 1),
            let map = modbus_mapping_new(50, 50, 50, 50)
        else { return }
        defer {
            modbus_mapping_free(map)
            modbus_free(context)
        }
        map.pointee.tab_input_registers[0] = 0x4348
        map.pointee.tab_input_registers[1] = 0x8000
        var waiting: [UInt8] = []
        while !isStopped.load(ordering: .sequentiallyConsistent) {
            var poll = pollfd(fd: master.raw, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 50) > 0 else { continue }
            guard let bytes = try? master.read(atMost: 256), !bytes.isEmpty else { continue }
            waiting += bytes
            // Requests for reading have eight bytes: unit, function, address, count, checksum.
            while waiting.count >= 8 {
                let request = Array(waiting.prefix(8))
                waiting.removeFirst(8)
                let unit = request[0]
                requests.withLock { $0[unit, default: 0] += 1 }
                guard units.contains(unit) else { continue }
                if delay > .zero { usleep(UInt32(delay.nanoseconds / 1000)) }
                map.pointee.tab_registers[0] = UInt16(unit)
                modbus_set_slave(context, Int32(unit))
                modbus_set_socket(context, master.raw)
                modbus_reply(context, request, 8, map)
            }
        }
        modbus_set_socket(context, -1)
    }
}

@Suite("Modbus RTU", .serialized)
struct SerialTests {
    private func machine(
        _ name: String, _ device: String, unit: UInt8, rs485: Bool = false
    ) -> Settings.Machine {
        var machine = Settings.Machine(
            name: name, address: IPv4Address(value: 0), port: 0, unit: unit,
            timeout: .milliseconds(200),
            tags: [
                Settings.Tag(
                    name: "unit", register: .init(table: .holding, address: 0), type: .uint16,
                    every: .milliseconds(100)),
                Settings.Tag(
                    name: "temperature", register: .init(table: .input, address: 0),
                    type: .float32, every: .milliseconds(100)),
            ])
        var line = Settings.SerialLine(device: device)
        // A pseudo-terminal has no parity bit.
        line.parity = .none
        line.usesRS485 = rs485
        machine.serial = line
        return machine
    }

    private func run(
        _ machines: [Settings.Machine], until isDone: @Sendable ([Reading], [MachineStatus]) -> Bool
    ) async throws -> (readings: [Reading], status: [MachineStatus]) {
        let taken = Mutex<[Reading]>([])
        let service = MachinesService(
            machines: machines, sink: { readings in taken.withLock { $0 += readings } },
            random: SeededGenerator(seed: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let task = Task { try await service.run() }
        for _ in 0..<1000 {
            if isDone(taken.withLock { $0 }, await service.status()) { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        let status = await service.status()
        task.cancel()
        _ = await task.result
        return (taken.withLock { $0 }, status)
    }

    @Test("behaviour 8: three units share a line; one that is dead does not silence the others")
    func shared() async throws {
        let server = try SerialServer(units: [1, 2])
        defer { server.stop() }
        let machines = (1...3).map { machine("drive-\($0)", server.device, unit: UInt8($0)) }
        let (readings, status) = try await run(machines) { readings, status in
            readings.count { $0.source == "drive-1" && $0.quality == .good } >= 20
                && readings.count { $0.source == "drive-2" && $0.quality == .good } >= 20
                && status[2].errors >= 2
        }
        for (name, unit) in [("drive-1", Int64(1)), ("drive-2", 2)] {
            let own = readings.filter { $0.source == name && $0.quality == .good }
            #expect(own.count >= 20, "\(name)")
            // Nobody gets another one's answer.
            #expect(own.filter { $0.tag == "unit" }.allSatisfy { $0.value == .integer(unit) })
            let temperatures = own.filter { $0.tag == "temperature" }
            #expect(temperatures.allSatisfy { $0.value == .double(200.5) })
        }
        #expect(status[0].isConnected && status[1].isConnected && !status[2].isConnected)
        let reason = try #require(status[2].reason)
        #expect(reason.hasPrefix("\(server.device) unit 3: cannot read "), "\(reason)")
        #expect(reason.hasSuffix(" at 0: no answer in time"), "\(reason)")
        #expect(!readings.contains { $0.source == "drive-3" && $0.quality == .good })
    }

    @Test("behaviour 8: an answer that comes too late is thrown away, and is nobody's")
    func late() async throws {
        let server = try SerialServer(units: [1, 2], delay: .milliseconds(260))
        defer { server.stop() }
        let machines = (1...2).map { machine("drive-\($0)", server.device, unit: UInt8($0)) }
        let (readings, _) = try await run(machines) { _, status in
            status.allSatisfy { $0.errors >= 3 }
        }
        for reading in readings where reading.quality == .good && reading.tag == "unit" {
            #expect(reading.value == .integer(reading.source == "drive-1" ? 1 : 2))
        }
    }

    @Test("a line that is not there, and one that cannot do RS-485: said in words")
    func mistakes() async throws {
        let (_, gone) = try await run([machine("a", "/dev/ttyNONE7", unit: 1)]) { $1[0].errors > 0 }
        #expect(
            gone[0].reason
                == "/dev/ttyNONE7 unit 1: no such device: is the adapter plugged in?")
        let server = try SerialServer(units: [1])
        defer { server.stop() }
        let (_, plain) = try await run([machine("a", server.device, unit: 1, rs485: true)]) {
            $1[0].errors > 0
        }
        #expect(
            plain[0].reason
                == "\(server.device) unit 1: cannot switch to RS-485 mode: "
                + "Inappropriate ioctl for device")
    }
}
