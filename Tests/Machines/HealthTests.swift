import Base
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Machines
@testable import Settings

/// The router's own state as a source.
@Suite("Health")
struct HealthTests {
    private let time = Timestamp(
        monotonic: Instant(nanoseconds: 7), wall: WallTime(milliseconds: 8))

    private func values(_ health: RouterHealth) -> [String: TagValue] {
        let readings = health.readings(at: time)
        #expect(readings.allSatisfy { $0.source == "router" && $0.time == time })
        return Dictionary(uniqueKeysWithValues: readings.map { ($0.tag, $0.value) })
    }

    @Test("behaviour 8: what is known is recorded, what is not is left out")
    func readings() {
        var health = RouterHealth()
        #expect(values(health).isEmpty)
        health.uplinks = [
            .init(
                name: "office", isUp: true, isCarrying: true, roundTripTime: .microseconds(2500),
                lossPercent: 1.25),
            .init(name: "lte", isUp: false, isCarrying: false),
        ]
        health.switchPosition = "off"
        health.isGateOpen = false
        health.dropped = .max
        health.ring = (used: 1_234_567, quota: 10_000_000)
        health.temperature = 51.5
        health.memoryOwn = 30_000_000
        #expect(
            values(health) == [
                "uplink.office.up": .bool(true), "uplink.office.carrying": .bool(true),
                "uplink.office.rtt-ms": .double(2.5), "uplink.office.loss-percent": .double(1.25),
                "uplink.lte.up": .bool(false), "uplink.lte.carrying": .bool(false),
                "switch.position": .string("off"), "gate.open": .bool(false),
                "firewall.dropped": .integer(.max), "recorder.fill-percent": .double(12.3),
                "cpu.temperature": .double(51.5), "memory.own-bytes": .integer(30_000_000),
            ])
        health.ring = (used: 0, quota: 0)
        #expect(values(health)["recorder.fill-percent"] == nil)
    }

    @Test("it is recorded at multiples of the interval; what the recorder does not take is counted")
    func service() async throws {
        let taken = Mutex<[Reading]>([])
        let isFull = Atomic(true)
        let service = HealthService(
            settings: Settings.Health(isEnabled: true, every: .milliseconds(50)),
            look: {
                var health = RouterHealth()
                health.load = 0.5
                return health
            },
            sink: { readings in
                guard !isFull.load(ordering: .relaxed) else {
                    throw SystemError("record", code: 28)
                }
                taken.withLock { $0 += readings }
            }, clock: SystemClock(), wall: { WallTime(milliseconds: 1) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await service.run() }
        try await wait { service.status().unrecorded >= 2 }
        #expect(service.status().reason?.hasPrefix("not recorded: ") ?? false)
        isFull.store(false, ordering: .relaxed)
        try await wait { taken.withLock { $0.count } >= 3 }
        run.cancel()
        _ = await run.result
        #expect(service.status().reason == nil)
        #expect(taken.withLock { $0.allSatisfy { $0.tag == "cpu.load" } })
    }

    private func wait(_ condition: () -> Bool) async throws {
        for _ in 0..<1000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(condition())
    }
}
