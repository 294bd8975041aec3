import Base
import Machines
import Testing

@Suite struct RegisterDecoderTests {
    @Test(
        "registers to values",
        arguments: [
            ([1], .bool, nil, .bool(true)),
            ([0], .bool, nil, .bool(false)),
            ([0x8000], .bool, nil, .bool(true)),
            ([0xffff], .int16, nil, .integer(-1)),
            ([0x8000], .int16, nil, .integer(-32768)),
            ([0xffff], .uint16, nil, .integer(65535)),
            ([0x0001, 0x0002], .int32, nil, .integer(65538)),
            ([0xffff, 0xfffe], .int32, nil, .integer(-2)),
            ([0xffff, 0xfffe], .uint32, nil, .integer(4_294_967_294)),
            ([0x41c8, 0x0000], .float32, nil, .double(25)),
            ([0xc148, 0x0000], .float32, nil, .double(-12.5)),
            ([1805], .int16, 0.1, .double(180.5)),
            ([0xfff6], .int16, 0.5, .double(-5)),
            ([0x41c8, 0x0000], .float32, 2, .double(50)),
            ([0x5255, 0x4e00, 0x4141], .string(bytes: 6), nil, .string("RUN")),
            ([0x5255, 0x4e4e], .string(bytes: 3), nil, .string("RUN")),
            ([0xc3a9, 0x0000], .string(bytes: 4), nil, .string("é")),
            ([0xff41], .string(bytes: 2), nil, .string("\u{fffd}A")),
        ] as [([UInt16], RegisterKind, Double?, TagValue)])
    func values(words: [UInt16], kind: RegisterKind, scale: Double?, value: TagValue) {
        #expect(RegisterDecoder.decode(words[...], as: kind, scale: scale) == value)
    }

    /// One value of each length, as four kinds of machines keep it.
    @Test(
        "orders of bytes and words",
        arguments: [
            (.abcd, [0x41c8, 0x1234], [0x0001, 0x0002, 0x0003, 0x0004]),
            (.badc, [0xc841, 0x3412], [0x0100, 0x0200, 0x0300, 0x0400]),
            (.cdab, [0x1234, 0x41c8], [0x0004, 0x0003, 0x0002, 0x0001]),
            (.dcba, [0x3412, 0xc841], [0x0400, 0x0300, 0x0200, 0x0100]),
        ] as [(WordOrder, [UInt16], [UInt16])])
    func orders(order: WordOrder, two: [UInt16], four: [UInt16]) {
        func decode(_ words: [UInt16], _ kind: RegisterKind) -> TagValue? {
            RegisterDecoder.decode(words[...], as: kind, order: order)
        }
        #expect(decode(two, .uint32) == .integer(0x41c8_1234))
        #expect(decode(two, .float32) == .double(Double(Float(bitPattern: 0x41c8_1234))))
        #expect(decode(four, .int64) == .integer(0x0001_0002_0003_0004))
        #expect(decode(four, .float64) == .double(Double(bitPattern: 0x0001_0002_0003_0004)))
        let isSwapped = order == .badc || order == .dcba
        #expect(decode([isSwapped ? 0xfeff : 0xfffe], .int16) == .integer(-2))
        #expect(decode([1], .bool) == .bool(true))
        let text: [UInt16] = isSwapped ? [0x5552, 0x004e] : [0x5255, 0x4e00]
        #expect(decode(text, .string(bytes: 4)) == .string("RUN"))
    }

    @Test("a whole number beyond 63 bits is told as the nearest double")
    func huge() {
        let words = [UInt16](repeating: 0xffff, count: 4)
        #expect(RegisterDecoder.decode(words[...], as: .uint64) == .double(0x1p64))
        #expect(RegisterDecoder.decode(words[...], as: .int64) == .integer(-1))
    }

    @Test func notANumberIsKept() {
        let value = RegisterDecoder.decode([0x7fc0, 0], as: .float32)
        guard case .double(let number) = value else {
            Issue.record("not a double: \(String(describing: value))")
            return
        }
        #expect(number.isNaN)
    }

    @Test("too few registers are no value")
    func tooFew() {
        #expect(RegisterDecoder.decode([], as: .bool) == nil)
        #expect(RegisterDecoder.decode([1], as: .float32) == nil)
        #expect(RegisterDecoder.decode([1], as: .string(bytes: 3)) == nil)
    }

    @Test("a tag that fails is told once, with its last value; and again after it was well")
    func badOnce() {
        let time = Timestamp(monotonic: .boot, wall: WallTime(milliseconds: 1))
        var states = TagStates(
            machine: "m",
            tags: [
                TagStates.Tag(name: "a", kind: .int16), TagStates.Tag(name: "b", kind: .bool),
                TagStates.Tag(name: "c", kind: .uint16, scale: 0.1),
            ])
        let answered = states.polled([(0, [7])], at: time)
        #expect(answered == [Reading(source: "m", tag: "a", value: .integer(7), time: time)])
        let failed = states.allFailed(at: time)
        #expect(failed.map(\.value) == [.integer(7), .bool(false), .double(0)])
        #expect(failed.allSatisfy { $0.quality == .bad })
        let again = states.allFailed(at: time)
        #expect(again.isEmpty)
        _ = states.polled([(1, [1])], at: time)
        let later = states.allFailed(at: time)
        #expect(later.map(\.tag) == ["b"])
        #expect(later.map(\.value) == [.bool(true)])
    }
}
