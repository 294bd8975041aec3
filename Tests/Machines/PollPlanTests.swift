import Base
import Machines
import TestSupport
import Testing

@Suite struct PollPlanTests {
    private func item(
        _ table: RegisterTable, _ address: Int, _ count: Int = 1, every: Duration = .seconds(1)
    ) -> PollPlan.Item {
        PollPlan.Item(table: table, address: address, count: count, every: every)
    }

    private func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("everything is read at once, then on a grid that late polls do not move")
    func grid() {
        var plan = PollPlan([item(.input, 0)], at: at(1234))
        #expect(plan.nextPoll == at(1234))
        var due = plan.takeDue(at: at(1240))
        #expect(due.tags == [0])
        #expect(due.missed == 0)
        #expect(plan.nextPoll == at(2000))
        due = plan.takeDue(at: at(1999))
        #expect(due.tags.isEmpty)
        due = plan.takeDue(at: at(2700))
        #expect(due.tags == [0])
        #expect(due.missed == 0)
        #expect(plan.nextPoll == at(3000), "late by 700 ms, and not a bit of it is kept")
    }

    @Test("what was missed is skipped and counted, not queued")
    func missed() {
        var plan = PollPlan([item(.input, 0)], at: at(1000))
        _ = plan.takeDue(at: at(1000))
        let due = plan.takeDue(at: at(6500))
        #expect(due.tags == [0])
        #expect(due.missed == 4, "2, 3, 4 and 5 s; this is the one of 6 s")
        #expect(plan.nextPoll == at(7000))
    }

    @Test("periods that divide each other fall together")
    func phases() {
        var plan = PollPlan(
            [
                item(.input, 0, every: .milliseconds(500)), item(.input, 9),
                item(.coil, 0, every: .seconds(2)),
            ], at: at(100))
        _ = plan.takeDue(at: at(100))
        var seen: [[Int]] = []
        while let next = plan.nextPoll, next <= at(2000) {
            seen.append(plan.takeDue(at: next).tags)
        }
        #expect(seen == [[0], [0, 1], [0], [0, 1, 2]])
    }

    @Test("over any time, polls and missed polls add up to the turns of the clock")
    func conservation() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let every = Int64.random(in: 100...5000, using: &random)
            var now = Int64.random(in: 0...100_000, using: &random)
            let start = now / every
            var plan = PollPlan([item(.input, 0, every: .milliseconds(every))], at: at(now))
            _ = plan.takeDue(at: at(now))
            var turns: Int64 = 0
            for _ in 0..<200 {
                now += Int64.random(in: 0...2 * every, using: &random)
                let due = plan.takeDue(at: at(now))
                turns += Int64(due.tags.count + due.missed)
            }
            #expect(turns == now / every - start, "seed \(seed)")
        }
    }

    @Test("neighbours are read together across small gaps, tables never")
    func joining() {
        let plan = PollPlan(
            [
                item(.holding, 10, 2), item(.input, 0, 2), item(.holding, 0), item(.input, 2, 2),
                item(.input, 8, 8), item(.coil, 0), item(.discrete, 0), item(.holding, 100),
            ], at: .boot)
        let reads = plan.reads(Array(0..<8))
        #expect(
            reads == [
                PollPlan.Read(table: .coil, address: 0, count: 1, tags: [5]),
                PollPlan.Read(table: .discrete, address: 0, count: 1, tags: [6]),
                PollPlan.Read(table: .input, address: 0, count: 16, tags: [1, 3, 4]),
                PollPlan.Read(table: .holding, address: 0, count: 12, tags: [2, 0]),
                PollPlan.Read(table: .holding, address: 100, count: 1, tags: [7]),
            ])
    }

    @Test("no read is longer than Modbus allows, and every tag is in exactly one")
    func limits() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let items = (0..<200).map { _ in
                let table = RegisterTable(rawValue: .random(in: 0...3, using: &random)) ?? .coil
                return item(
                    table, .random(in: 0...3000, using: &random),
                    table.isBits ? 1 : .random(in: 1...125, using: &random))
            }
            let reads = PollPlan(items, at: .boot).reads(Array(items.indices))
            for read in reads {
                #expect(read.count <= (read.table.isBits ? 2000 : 125), "seed \(seed)")
                for tag in read.tags {
                    #expect(items[tag].table == read.table)
                    #expect(items[tag].address >= read.address)
                    #expect(
                        items[tag].address + items[tag].count <= read.address + read.count,
                        "seed \(seed)")
                }
            }
            #expect(reads.flatMap(\.tags).sorted() == Array(items.indices), "seed \(seed)")
        }
    }

    @Test("what a machine refuses as a whole is read one by one from then on")
    func refused() {
        var plan = PollPlan(
            [item(.holding, 0), item(.holding, 5), item(.holding, 300), item(.holding, 302)],
            at: .boot)
        let joined = plan.reads([0, 1, 2, 3])
        #expect(joined.map(\.tags) == [[0, 1], [2, 3]])
        let helps = plan.readRefused(joined[0])
        #expect(helps)
        let single = plan.reads([0, 1, 2, 3])
        #expect(single.map(\.tags) == [[0], [1], [2, 3]])
        #expect(single[1] == PollPlan.Read(table: .holding, address: 5, count: 1, tags: [1]))
        let helpsAgain = plan.readRefused(single[0])
        #expect(!helpsAgain)
    }
}
