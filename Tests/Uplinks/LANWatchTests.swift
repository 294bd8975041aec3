import Base
import Testing
import Uplinks

@Suite("LAN watch")
struct LANWatchTests {
    private let plc = IPv4Address(value: 0xc0a8_8c0a)
    private func second(_ number: Int64) -> Instant {
        Instant(nanoseconds: number * 1_000_000_000)
    }

    @Test(
        "behaviour 4.9: two looks in vain, and it is gone since the first of them; one answer, and it is there"
    )
    func machine() {
        var watch = LANWatch()
        watch.expect([(name: "plc-1", address: plc)], at: second(0))
        #expect(watch.machines[0].isThere == nil)
        watch.looked([plc: true], at: second(5))
        #expect(watch.machines[0].isThere == true)
        watch.looked([plc: false], at: second(10))
        #expect(watch.machines[0].isThere == true)
        // It is still being asked: that says nothing.
        watch.looked([:], at: second(15))
        watch.looked([plc: false], at: second(20))
        #expect(watch.machines[0].isThere == false)
        #expect(watch.machines[0].since == second(10))
        // Another config that names it, too, knows what is known.
        watch.expect([(name: "plc-1", address: plc)], at: second(21))
        #expect(watch.machines[0].since == second(10))
        watch.looked([plc: true], at: second(25))
        #expect(watch.machines[0].isThere == true)
        #expect(watch.machines[0].since == second(25))
    }

    @Test("behaviour 4.9: a port's state counts from when it changed")
    func ports() {
        var watch = LANWatch()
        watch.portsSeen([(name: "lan0", hasCarrier: true)], at: second(1))
        watch.portsSeen([(name: "lan0", hasCarrier: true)], at: second(2))
        #expect(watch.ports.map(\.since) == [second(1)])
        watch.portsSeen([(name: "lan0", hasCarrier: false)], at: second(3))
        #expect(watch.ports.map(\.since) == [second(3)])
        #expect(watch.ports.map(\.hasCarrier) == [false])
    }
}
