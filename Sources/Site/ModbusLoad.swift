import Base
import Glibc
import Linux
import Logging
import Machines
import Recorder
import Settings
import Synchronization

/// Our Modbus polling against a server that others have written: are the values right, and what does it cost?
///
/// The server (`bench/modbus/`) answers on every address of 127.0.0.0/8 and holds what `expected` says.
package struct ModbusLoad: Sendable {
    package var port: UInt16
    package var devices: Int
    /// Where a ring of 64 MB is made, into which everything goes, with a commit a second.
    package var ring: String
    /// The server is on this serial line instead; nil: TCP.
    package var serialDevice: String?
    /// Tags of each device, 200 of them as a mixture of all four tables.
    package static let tagsPerDevice = 200

    package init(port: UInt16, devices: Int, ring: String) {
        precondition((1...200).contains(devices))
        self.port = port
        self.devices = devices
        self.ring = ring
    }

    package struct Outcome: Sendable {
        /// Values that were not as expected, in words.
        package var wrong: [String] = []
        package var readings = 0
        package var polls: UInt64 = 0
        package var missed: UInt64 = 0
        package var errors: UInt64 = 0
        /// Readings that the ring has on flash in the end, of all that were taken since the start; and lost ones.
        package var recorded: UInt64 = 0
        package var taken = 0
        package var lost: UInt64 = 0
        /// Processor time of this process per second.
        package var processorShare = 0.0
    }

    private final class Sink: Sendable {
        let seen = Mutex<(count: Int, values: [String: TagValue])>((0, [:]))

        func take(_ readings: [Reading]) {
            seen.withLock { seen in
                seen.count += readings.count
                for reading in readings where reading.quality == .good {
                    seen.values[reading.tag] = reading.value
                }
            }
        }
    }

    /// One tag of each kind, and what the server holds there.
    package func checkValues() async throws -> Outcome {
        let sink = Sink()
        let tags = Self.expected.map(\.tag)
        let service = MachinesService(
            machines: [machine(0, tags)], sink: { sink.take($0) }, logger: silent)
        try await run(service, for: .seconds(3))
        let values = sink.seen.withLock { $0.values }
        var outcome = Outcome()
        outcome.readings = sink.seen.withLock { $0.count }
        for (tag, value) in Self.expected where values[tag.name] != value {
            let got = values[tag.name].map { "\($0)" } ?? "nothing"
            outcome.wrong.append("\(tag.name): \(got) instead of \(value)")
        }
        if let reason = await service.status()[0].reason { outcome.wrong.append(reason) }
        return outcome
    }

    /// All devices, each tag once a second, for so long.
    package func measure(for period: Duration) async throws -> Outcome {
        let sink = Sink()
        let machines = (0..<devices).map { machine($0, Self.mixture) }
        let recorder = try RecorderService(
            settings: Settings.Recorder(
                directory: ring, size: ByteSize(bytes: 64_000_000), sync: .seconds(1)),
            logger: silent)
        let service = MachinesService(
            machines: machines,
            sink: { readings in
                sink.take(readings)
                try await recorder.append(readings)
            }, logger: silent)
        var outcome = Outcome()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await recorder.run() }
            // Connecting is not what is measured.
            try await Task.sleep(for: .seconds(5))
            let (begun, spent) = (SystemClock().now(), processorTime())
            let before = sink.seen.withLock { $0.count }
            let (polls, missed, errors) = await totals(service)
            try await Task.sleep(for: period)
            let took = SystemClock().now() - begun
            outcome.processorShare = (processorTime() - spent).inSeconds / took.inSeconds
            outcome.readings = sink.seen.withLock { $0.count } - before
            let after = await totals(service)
            outcome.polls = after.polls - polls
            outcome.missed = after.missed - missed
            outcome.errors = after.errors - errors
            group.cancelAll()
        }
        await recorder.close()
        let kept = await recorder.status()
        outcome.recorded = kept.durableThrough
        outcome.lost = kept.lost
        outcome.taken = sink.seen.withLock { $0.count }
        return outcome
    }

    private func run(_ service: MachinesService, for period: Duration) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await Task.sleep(for: period)
            group.cancelAll()
        }
    }

    private func totals(_ service: MachinesService) async
        -> (polls: UInt64, missed: UInt64, errors: UInt64)
    {
        await service.status().reduce((0, 0, 0)) {
            ($0.0 + $1.polls, $0.1 + $1.missed, $0.2 + $1.errors)
        }
    }

    private var silent: Logger { Logger(label: "load", factory: { _ in SwiftLogNoOpLogHandler() }) }

    private func processorTime() -> Duration {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        func duration(_ time: timeval) -> Duration {
            .seconds(time.tv_sec) + .microseconds(Int64(time.tv_usec))
        }
        return duration(usage.ru_utime) + duration(usage.ru_stime)
    }

    private func machine(_ number: Int, _ tags: [Settings.Tag]) -> Settings.Machine {
        var machine = Settings.Machine(
            name: "device-\(number)", address: IPv4Address(value: 0x7f00_0001 + UInt32(number)),
            port: port, unit: 1, timeout: .seconds(1), tags: tags)
        machine.serial = serialDevice.map {
            var line = Settings.SerialLine(device: $0)
            // A pseudo-terminal has no parity bit.
            line.parity = .none
            return line
        }
        return machine
    }

    private static func tag(
        _ name: String, _ table: Settings.Register.Table, _ address: UInt16,
        _ type: Settings.RegisterType, _ order: Settings.WordOrder = .abcd
    ) -> Settings.Tag {
        Settings.Tag(
            name: name, register: Settings.Register(table: table, address: address), type: type,
            order: order, every: .seconds(1))
    }

    /// What `bench/modbus/*.py` hold.
    private static let expected: [(tag: Settings.Tag, value: TagValue)] = [
        (tag("float ABCD", .holding, 0, .float32), .double(123.5)),
        (tag("float BADC", .holding, 2, .float32, .badc), .double(123.5)),
        (tag("float CDAB", .holding, 4, .float32, .cdab), .double(123.5)),
        (tag("float DCBA", .holding, 6, .float32, .dcba), .double(123.5)),
        (tag("double ABCD", .holding, 8, .float64), .double(-9876.5)),
        (tag("double DCBA", .holding, 12, .float64, .dcba), .double(-9876.5)),
        (tag("int64", .holding, 16, .int64), .integer(-1_234_567_890_123)),
        (tag("text", .holding, 20, .string(bytes: 10)), .string("DRAWBRIDGE")),
        (tag("int16", .input, 5, .int16), .integer(-5)),
        (tag("uint16", .input, 5, .uint16), .integer(65531)),
        (tag("uint32", .input, 6, .uint32), .integer(0xfffa_fff9)),
        (tag("coil 3", .coil, 3, .bool), .bool(true)),
        (tag("coil 4", .coil, 4, .bool), .bool(false)),
        (tag("discrete 4", .discrete, 4, .bool), .bool(true)),
        (tag("discrete 5", .discrete, 5, .bool), .bool(false)),
    ]

    private static let mixture: [Settings.Tag] =
        (0..<100).map { tag("float.\($0)", .holding, UInt16(100 + 2 * $0), .float32) }
        + (0..<60).map { tag("word.\($0)", .input, UInt16($0), .int16) }
        + (0..<20).map { tag("coil.\($0)", .coil, UInt16($0), .bool) }
        + (0..<20).map { tag("discrete.\($0)", .discrete, UInt16($0), .bool) }
}
