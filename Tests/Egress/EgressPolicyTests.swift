import Base
import Testing

@testable import Egress

@Suite struct EgressPolicyTests {
    private let policy = EgressPolicy(
        allowed: ["*.ixon.net", "api.ayayot.com"].compactMap { DomainPattern($0) },
        forbidden: [CIDR("203.0.113.128/25")].compactMap { $0 })

    private func answer(
        _ records: [(String, UInt32, String)], code: DNSMessage.ResponseCode = .noError
    ) throws -> DNSMessage {
        let name = try #require(DomainName("mqtt.ixon.net"))
        var message = try DNSMessage(decoding: DNSMessage.query(id: 1, name: name))
        message.isResponse = true
        message.responseCode = code
        message.answers = try records.map { owner, timeToLive, data in
            DNSMessage.Record(
                name: try #require(DomainName(owner)), timeToLiveSeconds: timeToLive,
                data: IPv4Address(data).map { .address($0) } ?? .alias(DomainName(data)))
        }
        return message
    }

    private func judge(_ records: [(String, UInt32, String)]) throws -> EgressPolicy.Verdict {
        policy.judge(try answer(records), to: try #require(DomainName("mqtt.ixon.net")))
    }

    @Test("behaviour 3.1: names on the list, on label borders")
    func names() throws {
        for (name, isAllowed) in [
            ("mqtt.ixon.net", true), ("a.b.ixon.net", true), ("ixon.net", false),
            ("evilixon.net", false), ("ixon.net.evil.example", false), ("api.ayayot.com", true),
            ("x.api.ayayot.com", false), ("net", false),
        ] {
            #expect(policy.allows(try #require(DomainName(name))) == isAllowed, "\(name)")
        }
    }

    @Test("behaviour 3.2: addresses over aliases on the list; the shortest time counts")
    func admitted() throws {
        #expect(
            try judge([
                ("mqtt.ixon.net", 300, "a.ixon.net"), ("a.ixon.net", 200, "203.0.113.10"),
                ("a.ixon.net", 100, "203.0.113.11"), ("a.ixon.net", 100, "203.0.113.10"),
            ])
                == .admitted(
                    [try address("203.0.113.10"), try address("203.0.113.11")],
                    timeToLive: .seconds(100)))
    }

    @Test("behaviour 3.2: an alias that leaves the list refuses all, whatever stands beside it")
    func evilAlias() throws {
        let evil = try #require(DomainName("evil.example"))
        #expect(
            try judge([
                ("mqtt.ixon.net", 300, "evil.example"), ("evil.example", 300, "203.0.113.66"),
            ]) == .aliasNotAllowed(evil))
        #expect(
            try judge([
                ("mqtt.ixon.net", 300, "a.ixon.net"), ("a.ixon.net", 300, "evil.example"),
                ("evil.example", 300, "203.0.113.66"),
            ]) == .aliasNotAllowed(evil))
        #expect(
            try judge([
                ("mqtt.ixon.net", 300, "203.0.113.10"), ("mqtt.ixon.net", 300, "evil.example"),
            ]) == .aliasNotAllowed(evil))
        #expect(try judge([("mqtt.ixon.net", 300, "no name")]) == .aliasNotAllowed(nil))
    }

    @Test("addresses of names that were not asked for are not opened")
    func unasked() throws {
        #expect(
            try judge([("other.ixon.net", 300, "203.0.113.66")]) == .noAddress)
    }

    @Test("a circle of aliases, or too many of them, ends")
    func circle() throws {
        #expect(
            try judge([
                ("mqtt.ixon.net", 300, "a.ixon.net"), ("a.ixon.net", 300, "mqtt.ixon.net"),
            ]) == .unusable(.noError))
        func chain(_ length: Int) -> [(String, UInt32, String)] {
            var records = [("mqtt.ixon.net", UInt32(300), "c1.ixon.net")]
            for index in 1..<length {
                records.append(("c\(index).ixon.net", 300, "c\(index + 1).ixon.net"))
            }
            return records + [("c\(length).ixon.net", 300, "203.0.113.10")]
        }
        #expect(
            try judge(chain(EgressPolicy.aliasesMax))
                == .admitted([try address("203.0.113.10")], timeToLive: .seconds(300)))
        #expect(try judge(chain(EgressPolicy.aliasesMax + 1)) == .unusable(.noError))
    }

    @Test(
        "behaviour 3.2: one address in a special or local network refuses all",
        arguments: [
            "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.140.10", "169.254.1.1",
            "100.64.0.1", "224.0.0.1", "255.255.255.255", "203.0.113.200",
        ])
    func forbidden(text: String) throws {
        let bad = try address(text)
        #expect(
            try judge([("mqtt.ixon.net", 300, "203.0.113.10"), ("mqtt.ixon.net", 300, text)])
                == .addressForbidden(bad))
    }

    @Test(
        "the time to live is kept between a second and a day",
        arguments: [(0, 1), (2, 2), (61, 61), (86_401, 86_400), (1 << 31, 1), (UInt32.max, 1)]
            as [(UInt32, Int64)])
    func timeToLive(given: UInt32, believed: Int64) throws {
        #expect(
            try judge([("mqtt.ixon.net", given, "203.0.113.10")])
                == .admitted([try address("203.0.113.10")], timeToLive: .seconds(believed)))
    }

    @Test("no more addresses than the limit, and codes are told apart")
    func limitsAndCodes() throws {
        let many = (1...40).map { ("mqtt.ixon.net", UInt32(300), "203.0.113.\($0)") }
        guard case .admitted(let addresses, _) = try judge(many) else {
            Issue.record("not admitted")
            return
        }
        #expect(addresses.count == EgressPolicy.addressesMax)
        let name = try #require(DomainName("mqtt.ixon.net"))
        #expect(policy.judge(try answer([], code: .noSuchName), to: name) == .noSuchName)
        #expect(policy.judge(try answer([]), to: name) == .noAddress)
        #expect(
            policy.judge(try answer([], code: .serverFailure), to: name)
                == .unusable(.serverFailure))
    }

    @Test("the cache forgets when the time is over, and makes room for the newest")
    func cache() throws {
        var cache = NameCache()
        let name = try #require(DomainName("mqtt.ixon.net"))
        let entry = NameCache.Entry(addresses: [], expiresAt: Instant.boot + .seconds(60))
        cache.insert(name, entry, at: .boot)
        #expect(cache.entry(name, at: Instant.boot + .seconds(59)) == entry)
        #expect(cache.entry(name, at: Instant.boot + .seconds(60)) == nil)
        for index in 0..<NameCache.namesMax {
            let other = try #require(DomainName("n\(index).ixon.net"))
            let later = Instant.boot + .seconds(100 + index)
            cache.insert(other, .init(addresses: [], expiresAt: later), at: .boot)
        }
        #expect(cache.live(at: .boot).count == NameCache.namesMax)
        #expect(cache.entry(name, at: .boot) == nil)
    }

    @Test(
        "an address is open for two minutes at least, and for a minute longer than its name is believed"
    )
    func openTime() {
        #expect(EgressPolicy.openTime(.seconds(2)) == .seconds(120))
        #expect(EgressPolicy.openTime(.seconds(300)) == .seconds(360))
    }

    @Test("an address is remembered with its names while it is open, and never too many of them")
    func openedNames() throws {
        var opened = OpenedNames()
        let cloud = try address("203.0.113.10")
        for (name, seconds) in [("b.ixon.net", 20), ("a.ixon.net", 10)] {
            opened.note(
                [cloud], of: try #require(DomainName(name)), until: .boot + .seconds(seconds),
                at: .boot)
        }
        let live = opened.live(at: .boot)
        #expect(live.map(\.address) == [cloud])
        #expect(live.first?.names.map(\.description) == ["a.ixon.net", "b.ixon.net"])
        #expect(
            opened.live(at: .boot + .seconds(15)).first?.names.map(\.description) == ["b.ixon.net"])
        #expect(opened.live(at: .boot + .seconds(20)).isEmpty)
        let name = try #require(DomainName("c.ixon.net"))
        for index in 0..<UInt32(OpenedNames.pairsMax + 100) {
            opened.note(
                [IPv4Address(value: index)], of: name,
                until: .boot + .seconds(100 + Int(index)), at: .boot)
        }
        #expect(opened.live(at: .boot).count == OpenedNames.pairsMax)
    }

    @Test("refusals are counted by name, logged once, and bounded")
    func refusals() {
        var log = RefusalLog()
        let isNew = [RefusalLog.Reason.name, .name, .alias].map { reason in
            log.note("a", reason, at: .boot)
        }
        #expect(isNew == [true, false, true])
        for index in 0..<100 { _ = log.note("n\(index)", .name, at: .boot) }
        #expect(log.entries.count == RefusalLog.namesMax)
        #expect(log.entries.first?.name == "a" && log.entries.first?.count == 2)
        #expect(log.others == 100 - (RefusalLog.namesMax - 2))
    }
}
