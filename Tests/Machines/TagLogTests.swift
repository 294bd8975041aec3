import Base
import Machines
import Testing

@Suite("What is recorded of what is read")
struct TagLogTests {
    private func at(_ seconds: Double) -> Instant {
        Instant(nanoseconds: Int64(seconds * 1e9))
    }

    /// What becomes of values that are read once a second from 1 s on.
    private func recorded(
        _ rule: TagLog.Rule, _ values: [TagValue], trigger: (Int) -> Bool = { _ in true }
    ) -> [TagValue?] {
        var log = TagLog(rule)
        return values.enumerated().map { index, value in
            log.polled(value, at: at(Double(index + 1)), triggerHolds: trigger(index))
        }
    }

    private func numbers(_ values: [Double]) -> [TagValue] { values.map { .double($0) } }

    @Test("each value, without a rule")
    func all() {
        let values: [TagValue] = [.integer(1), .integer(1), .bool(false), .string("")]
        #expect(recorded(.init(), values) == values)
    }

    @Test("on change: the first one, then what differs by more than the deadband")
    func change() {
        let values = numbers([10, 10, 10.4, 10.5, 10.6, 10.2, 9])
        #expect(
            recorded(.init(onChange: .init(deadband: 0.5)), values)
                == [.double(10), nil, nil, nil, .double(10.6), nil, .double(9)])
        #expect(
            recorded(.init(onChange: .init()), [.bool(true), .bool(true), .bool(false)])
                == [.bool(true), nil, .bool(false)])
        #expect(
            recorded(.init(onChange: .init()), [.string("a"), .string("a"), .string("b")])
                == [.string("a"), nil, .string("b")])
        // A drift in small steps is seen: what counts is the recorded value, not the one before.
        let drift = recorded(.init(onChange: .init(deadband: 1)), numbers([0, 0.6, 1.2, 1.8, 2.4]))
        #expect(drift == [.double(0), nil, .double(1.2), nil, .double(2.4)])
    }

    @Test("on change: NaN and infinities neither flood nor hide")
    func unusual() {
        let values = numbers([1, .nan, .nan, 1, .infinity, .infinity, -.infinity])
        for deadband in [0, 0.5] {
            let seen = recorded(.init(onChange: .init(deadband: deadband)), values)
            #expect(seen.map { $0 != nil } == [true, true, false, true, true, false, true])
        }
    }

    @Test("on change: an unchanged value again after its expiry, and after a failure")
    func expiry() {
        let rule = TagLog.Rule(onChange: .init(expiry: .seconds(3)))
        let values = [TagValue](repeating: .integer(5), count: 8)
        #expect(
            recorded(rule, values).map { $0 != nil }
                == [true, false, false, true, false, false, true, false])
        var log = TagLog(.init(onChange: .init()))
        #expect(log.polled(.integer(5), at: at(1), triggerHolds: true) != nil)
        log.failed()
        #expect(log.polled(.integer(5), at: at(2), triggerHolds: true) != nil)
    }

    @Test("only while the trigger holds")
    func trigger() {
        let seen = recorded(.init(), numbers([1, 2, 3, 4])) { $0 == 1 || $0 == 2 }
        #expect(seen == [nil, .double(2), .double(3), nil])
    }

    /// Reads at 1 s … 9 s in intervals of 4 s: 1, 2, 3 · 4, 5, 6, 7 · 8, 9.
    @Test(
        "aggregates of an interval come with the first value of the next one",
        arguments: [
            (.average, [4, 2, 6, 1, 2, 3, 4, 0, 0], .double(4), .double(2.5)),
            (.minimum, [4, 2, 6, 1, 2, 3, 4, 0, 0], .double(2), .double(1)),
            (.maximum, [4, 2, 6, 1, 2, 3, 4, 0, 0], .double(6), .double(4)),
            (.first, [4, 2, 6, 1, 2, 3, 4, 0, 0], .double(4), .double(1)),
            (.last, [4, 2, 6, 1, 2, 3, 4, 0, 0], .double(6), .double(4)),
        ] as [(TagLog.Aggregate, [Double], TagValue, TagValue)])
    func aggregates(
        kind: TagLog.Aggregate, values: [Double], first: TagValue, second: TagValue
    ) {
        let rule = TagLog.Rule(aggregate: (kind, .seconds(4)))
        let seen = recorded(rule, numbers(values))
        #expect(seen == [nil, nil, nil, first, nil, nil, nil, second, nil])
    }

    @Test("increase: over the border of the interval, and over a restart of the counter")
    func increase() {
        let rule = TagLog.Rule(aggregate: (.increase, .seconds(4)))
        // 1 s…3 s: +5 +5; 4 s…7 s: +5 from the interval before, +10, then anew from zero: 3, +4.
        let counts = [10, 15, 20, 25, 35, 3, 7, 8, 9].map { TagValue.integer($0) }
        #expect(
            recorded(rule, counts)
                == [nil, nil, nil, .integer(10), nil, nil, nil, .integer(22), nil])
    }

    @Test("duration: how long a bit was set, up to the interval's end")
    func duration() {
        let rule = TagLog.Rule(aggregate: (.duration, .seconds(4)))
        let bits = [true, false, true, true, true, false, false, true, false]
        // 1…2 s and 3…4 s; 4…6 s.
        #expect(
            recorded(rule, bits.map { .bool($0) })
                == [nil, nil, nil, .double(2), nil, nil, nil, .double(2), nil])
    }

    @Test("an interval with a failure in it begins anew after it")
    func failure() {
        var log = TagLog(.init(aggregate: (.average, .seconds(4))))
        _ = log.polled(.double(100), at: at(1), triggerHolds: true)
        log.failed()
        _ = log.polled(.double(2), at: at(3), triggerHolds: true)
        #expect(log.polled(.double(9), at: at(4), triggerHolds: true) == .double(2))
    }

    @Test("triggers are judged by the same poll, whatever its order; an unread tag holds nothing")
    func sameInstant() {
        let time = Timestamp(monotonic: at(1), wall: WallTime(milliseconds: 1))
        let condition = TagCondition(tag: 1, comparison: .greater, number: 5)
        var states = TagStates(
            machine: "m",
            tags: [
                .init(name: "value", kind: .int16, trigger: condition),
                .init(name: "level", kind: .int16),
            ])
        let alone = states.polled([(0, [7])], at: time)
        #expect(alone.isEmpty)
        let both = states.polled([(0, [7]), (1, [6])], at: time)
        #expect(both.map(\.tag) == ["value", "level"])
        let below = states.polled([(0, [7]), (1, [5])], at: time)
        #expect(below.map(\.tag) == ["level"])
        let failed = states.polled([(0, [7]), (1, nil)], at: time)
        #expect(failed.map(\.quality) == [.bad])
    }
}
