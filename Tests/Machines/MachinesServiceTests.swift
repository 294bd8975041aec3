import Base
import CModbus
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Machines
@testable import Settings

@Suite struct MachinesServiceTests {
    private func tag(
        _ name: String, _ table: Settings.Register.Table, _ address: UInt16,
        _ type: Settings.RegisterType, scale: Double? = nil
    ) -> Settings.Tag {
        Settings.Tag(
            name: name, register: Settings.Register(table: table, address: address), type: type,
            scale: scale, every: .milliseconds(100))
    }

    private func machine(
        _ name: String, _ port: UInt16, timeout: Duration = .seconds(5), _ tags: [Settings.Tag]
    ) -> Settings.Machine {
        Settings.Machine(
            name: name, address: IPv4Address(value: 0x7f00_0001), port: port, unit: 1,
            timeout: timeout, tags: tags)
    }

    /// What the machines brought, poll by poll.
    private final class Sink: Sendable {
        let polls = Mutex<[[Reading]]>([])
        let isFull = Atomic(false)

        func take(_ readings: [Reading]) throws {
            guard !isFull.load(ordering: .sequentiallyConsistent) else {
                throw SystemError("record", code: 28)
            }
            polls.withLock { $0.append(readings) }
        }

        func polls(of machine: String) -> [[Reading]] {
            polls.withLock { $0 }.filter { $0.first?.source == machine }
        }

        func bad(of machine: String) -> [Reading] {
            polls(of: machine).flatMap(\.self).filter { $0.quality == .bad }
        }
    }

    private func run(
        _ machines: [Settings.Machine], _ sink: Sink,
        _ body: @escaping @Sendable (MachinesService) async throws -> Void
    ) async throws {
        let service = MachinesService(
            machines: machines, sink: { try sink.take($0) }, random: SeededGenerator(seed: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            defer { group.cancelAll() }
            try await body(service)
        }
    }

    private func eventually(
        _ what: Comment, _ isTrue: () async throws -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for _ in 0..<3000 {
            if try await isTrue() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(what, sourceLocation: sourceLocation)
    }

    @Test("all kinds of tags come as one poll, with a time between request and now")
    func values() async throws {
        let server = try ModbusServer()
        defer { server.stop() }
        let tags = [
            tag("temperature", .input, 0, .float32), tag("strokes", .input, 2, .uint32),
            tag("offset", .input, 4, .int32), tag("state", .input, 8, .string(bytes: 16)),
            tag("setpoint", .holding, 1, .int16, scale: 0.1), tag("trim", .holding, 2, .int16),
            tag("running", .discrete, 3, .bool), tag("door", .coil, 0, .bool),
            tag("light", .coil, 20, .bool), tag("alarm", .coil, 21, .bool),
        ]
        let sink = Sink()
        let before = SystemClock().timestamp()
        try await run([machine("plc", server.port, tags)], sink) { service in
            try await eventually("two polls") { sink.polls(of: "plc").count >= 2 }
            let status = await service.status()[0]
            #expect(status.isConnected)
            #expect(status.polls >= 2)
            #expect(status.errors == 0)
            #expect(status.reason == nil)
            #expect(try #require(status.lastAnswer).monotonic > before.monotonic)
        }
        let poll = try #require(sink.polls(of: "plc").first)
        let byTag = Dictionary(uniqueKeysWithValues: poll.map { ($0.tag, $0.value) })
        #expect(
            byTag == [
                "temperature": .double(200.5), "strokes": .integer(100_000),
                "offset": .integer(-16), "state": .string("RUNNING"), "setpoint": .double(180.5),
                "trim": .integer(-10), "running": .bool(true), "door": .bool(true),
                "light": .bool(true), "alarm": .bool(false),
            ])
        #expect(Set(poll.map(\.time)).count == 1)
        #expect(poll[0].time.monotonic > before.monotonic)
        #expect(poll.allSatisfy { $0.quality == .good })
    }

    @Test("a machine that dies is told once a tag, in words; it returns by itself")
    func diesAndReturns() async throws {
        let server = try ModbusServer()
        let sink = Sink()
        let tags = [tag("a", .holding, 1, .int16), tag("b", .input, 2, .uint32)]
        try await run([machine("plc", server.port, tags)], sink) { service in
            try await eventually("a poll") { sink.polls(of: "plc").count >= 2 }
            server.stop()
            try await eventually("two failures") { await service.status()[0].errors >= 3 }
            let status = await service.status()[0]
            #expect(!status.isConnected)
            let reason = "it refuses connections: is its Modbus TCP server on, at this port?"
            #expect(status.reason == "127.0.0.1:\(server.port): \(reason)")
            #expect(sink.bad(of: "plc").map(\.tag) == ["a", "b"])
            #expect(sink.bad(of: "plc").map(\.value) == [.integer(1805), .integer(100_000)])

            let again = try ModbusServer(port: server.port)
            defer { again.stop() }
            let count = sink.polls(of: "plc").count
            try await eventually("it returns") { sink.polls(of: "plc").count >= count + 2 }
            #expect(await service.status()[0].isConnected)
            #expect(await service.status()[0].missed > 0)
            #expect(await service.status()[0].reason == nil)
            #expect(sink.bad(of: "plc").count == 2)
        }
    }

    @Test("a machine that is slow or hung times out, and delays no other")
    func slow() async throws {
        let good = try ModbusServer()
        let slow = try ModbusServer(delay: .seconds(1))
        let hung = try SilentServer()
        defer {
            good.stop()
            slow.stop()
        }
        let tags = [tag("a", .holding, 1, .int16)]
        let sink = Sink()
        let hungPort = hung.port
        try await run(
            [
                machine("slow", slow.port, timeout: .milliseconds(300), tags),
                machine("hung", hungPort, timeout: .seconds(2), tags),
                machine("good", good.port, tags),
            ], sink
        ) { service in
            // While the hung machine's thread is blocked for its first two seconds …
            try await eventually("polls") { sink.polls(of: "good").count >= 5 }
            #expect(sink.polls(of: "hung").isEmpty)
            try await eventually("time-outs") {
                let status = await service.status()
                return status[0].errors >= 2 && status[1].errors >= 1
            }
            let status = await service.status()
            for (index, port) in [(0, slow.port), (1, hungPort)] {
                let reason = try #require(status[index].reason)
                #expect(
                    reason
                        == "127.0.0.1:\(port): cannot read 1 holding registers at 1: "
                        + "no answer in time")
                #expect(!status[index].isConnected)
            }
            #expect(sink.bad(of: "slow").count == 1)
            #expect(sink.bad(of: "good").isEmpty)
            #expect(status[2].isConnected)
        }
    }

    @Test("what a machine does not have spoils only its own tag, and only once")
    func refused() async throws {
        let server = try ModbusServer(registers: 30)
        defer { server.stop() }
        let sink = Sink()
        // 20 and 35 are close enough to be read together, which the machine refuses.
        let tags = [tag("there", .holding, 20, .int16), tag("not", .holding, 35, .int16)]
        try await run([machine("plc", server.port, tags)], sink) { service in
            try await eventually("polls") { sink.polls(of: "plc").count >= 4 }
            let status = await service.status()[0]
            #expect(status.isConnected)
            #expect(
                status.reason == "127.0.0.1:\(server.port): cannot read 1 holding registers at 35: "
                    + "Illegal data address")
        }
        let polls = sink.polls(of: "plc")
        #expect(polls[0].map(\.tag) == ["there", "not"])
        #expect(polls[0].map(\.quality) == [.good, .bad])
        #expect(polls[1...].allSatisfy { $0.map(\.tag) == ["there"] })
    }

    @Test("a sink that takes nothing is counted, and polling goes on")
    func fullSink() async throws {
        let server = try ModbusServer()
        defer { server.stop() }
        let sink = Sink()
        sink.isFull.store(true, ordering: .sequentiallyConsistent)
        try await run([machine("plc", server.port, [tag("a", .holding, 1, .int16)])], sink) {
            service in
            try await eventually("three polls") { await service.status()[0].unrecorded >= 3 }
            #expect(sink.polls(of: "plc").isEmpty)
            sink.isFull.store(false, ordering: .sequentiallyConsistent)
            try await eventually("a poll") { !sink.polls(of: "plc").isEmpty }
        }
    }

    @Test("a machine that is off is told in words that say where to look")
    func isOff() {
        // What libmodbus leaves in errno when a connection is not made in time.
        let error = ModbusError(machine: "192.168.140.10:502", attempted: nil, code: 115)
        #expect(
            error.description
                == "192.168.140.10:502: no answer: is the machine on, and its cable plugged in?")
    }

    @Test("a unit that Modbus TCP does not know is an error in words")
    func unit() {
        #expect {
            _ = try ModbusClient(
                address: IPv4Address(value: 0x7f00_0001), port: 1, unit: 250, timeout: .seconds(1))
        } throws: { error in
            "\(error)" == "127.0.0.1:1: cannot use unit 250: Invalid argument"
        }
    }
}
