import Base
import Settings
import TestSupport
import Testing

@testable import Machines

/// What a broker's messages become: values, readings, refusals; and how many are taken.
@Suite("Subscription")
struct SubscriptionTests {
    private func tag(
        _ name: String, _ topic: String, _ type: Settings.Subscription.Kind = .number,
        at pointer: String? = nil
    ) -> Settings.Subscription.Tag {
        var tag = Settings.Subscription.Tag()
        tag.name = name
        tag.topic = topic
        tag.type = type
        tag.pointer = pointer.flatMap { Settings.JSONPointer($0) }
        return tag
    }

    private func tags(_ tags: [Settings.Subscription.Tag]) -> SubscribedTags {
        SubscribedTags(
            Settings.Subscription(
                name: "line", address: IPv4Address(value: 0xc0a8_8c14), port: 1883, tags: tags))
    }

    private func at(_ seconds: Int) -> Timestamp {
        Timestamp(
            monotonic: Instant(nanoseconds: 0) + .seconds(seconds),
            wall: WallTime(milliseconds: Int64(seconds) * 1000))
    }

    private func read(
        _ text: String, _ type: Settings.Subscription.Kind, _ pointer: String? = nil
    ) throws(PayloadValue.Refusal) -> TagValue {
        try PayloadValue.read(
            Array(text.utf8), as: type, at: pointer.flatMap { Settings.JSONPointer($0) })
    }

    @Test("behaviour 8: a payload is the value, or holds it at one place of a JSON document")
    func payloads() throws {
        #expect(try read("21.5", .number) == .double(21.5))
        #expect(try read(" -3e2\n", .number) == .double(-300))
        #expect(try read("ON", .bool) == .bool(true))
        #expect(try read("false", .bool) == .bool(false))
        #expect(try read("Ofen läuft", .string) == .string("Ofen läuft"))
        let json = #"{"a/b": [1, {"~": true}, "text"], "n": -0.5e1, "": 7, "deep": {"x": null}}"#
        #expect(try read(json, .number, "/a~1b/0") == .double(1))
        #expect(try read(json, .bool, "/a~1b/1/~0") == .bool(true))
        #expect(try read(json, .string, "/a~1b/2") == .string("text"))
        #expect(try read(json, .number, "/n") == .double(-5))
        #expect(try read(json, .number, "/") == .double(7))
    }

    @Test(
        "behaviour 8: what is no value is refused, and why",
        arguments: [
            ("", Settings.Subscription.Kind.number, nil, "is no number"),
            ("nan", .number, nil, "is no number"), ("1e999", .number, nil, "is no number"),
            ("1 2", .number, nil, "is no number"), ("0x10", .number, nil, "is no number"),
            ("maybe", .bool, nil, "is no bool"), ("{\"v\":1}", .number, nil, "is no number"),
            ("{\"v\":1}", .number, "/w", "no member \"w\""),
            ("{\"v\":\"1\"}", .number, "/v", "/v is no number"),
            ("{\"v\":1}", .bool, "/v", "/v is no bool"),
            ("{\"v\":true}", .number, "/v", "/v is no number"),
            ("{\"v\":null}", .string, "/v", "/v"), ("[1]", .number, "/1", "no element \"1\""),
            ("[1]", .number, "/x", "no element \"x\""), ("{\"v\":", .number, "/v", "no JSON"),
            ("{\"v\":1e999}", .number, "/v", "/v"), ("\u{1}", .bool, nil, "\"?\" is no bool"),
        ])
    func refused(
        text: String, type: Settings.Subscription.Kind, pointer: String?, reason: String
    ) {
        do {
            let value = try read(text, type, pointer)
            Issue.record("taken: \(value)")
        } catch {
            #expect("\(error)".contains(reason), "\(text): \(error)")
        }
    }

    @Test("whatever a broker sends: a value, or a refusal")
    func fuzz() throws {
        var random = SeededGenerator(seed: 23)
        let seeds = [#"{"a": [1, {"b": true}, "text"], "v": -0.5e1}"#, "21.5", "true"]
        var taken = 0
        for round in 0..<20_000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.insert(UInt8.random(in: 32...126, using: &random), at: place)
                default: bytes.remove(at: place)
                }
            }
            for (type, pointer) in [
                (Settings.Subscription.Kind.number, "/v"), (.bool, "/a/1/b"), (.number, nil),
                (.bool, nil), (.string, nil),
            ] {
                let value = try? PayloadValue.read(
                    bytes, as: type, at: pointer.flatMap { Settings.JSONPointer($0) })
                guard let value else { continue }
                taken += 1
                if case .double(let number) = value { #expect(number.isFinite) }
            }
        }
        #expect(taken > 1000)
        // As deep as the longest message can be.
        let deep = Array(repeating: UInt8(ascii: "["), count: Limits.subscribedBytesMax)
        #expect(throws: PayloadValue.Refusal.self) {
            try PayloadValue.read(deep, as: .number, at: Settings.JSONPointer("/0/0"))
        }
    }

    @Test(
        "behaviour 8: only changes, if asked for; several tags from one topic; others are not ours")
    func readings() {
        var change = tag("t", "oven", at: "/t")
        change.log.on = .change
        change.log.deadband = 0.5
        change.log.expiry = .seconds(60)
        var line = tags([change, tag("on", "oven", .bool, at: "/on"), tag("n", "count")])
        #expect(line.topics == ["oven", "count"])
        func say(_ text: String, _ second: Int, _ topic: String = "oven") -> [String] {
            let outcome = line.received(
                topic: topic, payload: Array(text.utf8), isRetained: false, at: at(second))
            return outcome.readings.map(\.tag) + outcome.refused
        }
        #expect(say(#"{"t": 20, "on": true}"#, 1) == ["t", "on"])
        #expect(say(#"{"t": 20.5, "on": true}"#, 2) == ["on"])
        #expect(say(#"{"t": 20.6, "on": 1}"#, 3) == ["t", "oven: /on is no bool"])
        #expect(say(#"{"t": 20.6, "on": false}"#, 70) == ["t", "on"])
        #expect(say("7", 71, "count") == ["n"])
        #expect(say("7", 72, "other") == [])
    }

    @Test(
        "behaviour 8: a retained message is news only where nothing better is known; a loss is told once"
    )
    func retained() {
        var line = tags([tag("a", "a"), tag("b", "b")])
        func say(_ text: String, retained: Bool, _ second: Int) -> Int {
            line.received(
                topic: "a", payload: Array(text.utf8), isRetained: retained, at: at(second)
            ).readings.count
        }
        #expect(say("1", retained: true, 1) == 1)
        #expect(say("1", retained: true, 2) == 0)
        #expect(say("1", retained: false, 3) == 1)
        #expect(say("2", retained: true, 4) == 1)
        let bad = line.allFailed(at: at(5))
        #expect(bad.map(\.tag) == ["a"] && bad.map(\.value) == [.double(2)])
        #expect(bad.allSatisfy { $0.quality == .bad })
        #expect(line.allFailed(at: at(6)).isEmpty)
        #expect(say("2", retained: true, 7) == 1)
    }

    @Test("a flood is cut to the rate; after a quiet time as many as the burst are taken")
    func budget() {
        let begin = Instant(nanoseconds: 0)
        var budget = MessageBudget(at: begin)
        var taken = 0
        for number in 0..<20_000
        where budget.take(at: begin + .milliseconds(number / 2)) { taken += 1 }
        #expect(taken >= Limits.subscribedBurstMax + 9 * Limits.subscribedRateMax)
        #expect(taken <= Limits.subscribedBurstMax + 10 * Limits.subscribedRateMax)
        taken = 0
        for _ in 0..<5000 where budget.take(at: begin + .seconds(3600)) { taken += 1 }
        #expect(taken == Limits.subscribedBurstMax)
    }

    @Test("how many came within the last minute")
    func minute() {
        var count = MinuteCount()
        for second in 100..<200 { count.add(2, at: at(second).monotonic) }
        #expect(count.total(at: at(199).monotonic) == 120)
        #expect(count.total(at: at(229).monotonic) == 60)
        #expect(count.total(at: at(400).monotonic) == 0)
    }

    @Test("JSON pointers as RFC 6901 has them, within limits")
    func pointers() {
        #expect(Settings.JSONPointer("/a~1b/~01")?.steps == ["a/b", "~1"])
        #expect(Settings.JSONPointer("/a~1b/~01")?.text == "/a~1b/~01")
        for text in ["", "a", "/~", "/~2", String(repeating: "/a", count: 17)] {
            #expect(Settings.JSONPointer(text) == nil, "\(text)")
        }
    }
}
