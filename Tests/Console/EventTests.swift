import Base
import Glibc
import Linux
import Logging
import TestSupport
import Testing

@testable import Console

/// A moment for entries.
private func moment(_ seconds: Int64) -> Timestamp {
    Timestamp(
        monotonic: Instant(nanoseconds: seconds * 1_000_000_000),
        wall: WallTime(milliseconds: 1_795_010_529_000 + seconds * 1000))
}

@Suite("Event log")
struct EventLogTests {
    private let folder: TemporaryFolder
    private var directory: String { folder.path + "/events" }

    init() throws { folder = try TemporaryFolder() }

    private func service(_ store: (any EventStore)? = nil) -> EventLogService {
        EventLogService(
            store: store ?? EventFiles(directory: directory), boot: "boot", time: { moment(1) },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// What verifying the whole log says; nil: it is whole.
    private func flaw() throws -> String? {
        var chain = EventChain()
        for line in try EventFiles.read(directory) {
            switch line {
            case .entry(let entry): if let flaw = chain.follow(entry) { return flaw }
            case .damaged(let file, let line): return "\(file):\(line)"
            }
        }
        return nil
    }

    private func file() throws -> String {
        let listing = try SmallFile.readText(directory + "/events-000000000001.jsonl")
        return listing
    }

    @Test("entries are numbered, chained and found again after a restart")
    func chain() async throws {
        await service().record([Event(.start, "one"), Event(.switch, who: "key switch", "off")])
        await service().record([Event(.start, "two")])
        let entries = try EventFiles.read(directory).compactMap { line -> EventEntry? in
            if case .entry(let entry) = line { entry } else { nil }
        }
        #expect(entries.map(\.number) == [1, 2, 3])
        #expect(entries.map(\.what) == ["one", "off", "two"])
        #expect(entries[0].previous == EventEntry.noHash)
        #expect(entries[2].previous == entries[1].hash)
        #expect(try flaw() == nil)
        #expect(try EventFiles.read(directory, after: 2).count == 1)
        #expect(try EventFiles.read(directory, limit: 2).count == 2)
        #expect(
            entries[1].text(offsetSeconds: 3600)
                == "2026-11-18 15:02:10  switch    key switch: off")
    }

    @Test(
        "every change of a byte is found",
        arguments: ["whole", "removed", "exchanged", "swapped", "rewritten"])
    func tampering(_ how: String) async throws {
        await service().record((1...5).map { Event(.cloud, "event \($0)") })
        var lines = try file().split(separator: "\n").map { String($0) }
        switch how {
        case "removed": lines.remove(at: 2)
        case "exchanged": lines[2] = lines[2].replacing("event 3", with: "event X")
        case "swapped": lines.swapAt(1, 2)
        case "rewritten":
            // With a hash that fits: then the next one does not follow.
            var entry = try ConsoleJSON.decode(EventEntry.self, from: Array(lines[2].utf8))
            entry.what = "nothing happened"
            entry.hash = try entry.digest()
            lines[2] = String(decoding: try entry.line().dropLast(), as: UTF8.self)
        default: break
        }
        try SmallFile.replace(
            directory + "/events-000000000001.jsonl",
            with: Array((lines.joined(separator: "\n") + "\n").utf8))
        let flaw = try flaw()
        switch how {
        case "removed": #expect(flaw == "entries 3 to 3 are missing")
        case "exchanged":
            #expect(flaw == "entry 3 was changed: its hash does not fit its content")
        case "swapped": #expect(flaw == "entries 2 to 2 are missing")
        case "rewritten":
            #expect(flaw == "entry 4 does not follow entry 3: one of them was exchanged")
        default: #expect(flaw == nil)
        }
    }

    @Test("a power cut in the middle of an entry: it is cut off, told, and the chain goes on")
    func powerCut() async throws {
        await service().record([Event(.start, "one"), Event(.cloud, "two")])
        let whole = Array(try file().utf8)
        for length in [whole.count - 1, whole.count - 40, whole.count / 2 + 3] {
            try SmallFile.replace(
                directory + "/events-000000000001.jsonl", with: Array(whole[..<length]))
            #expect(try flaw() == nil)
            await service().record([Event(.start, "after")])
            #expect(try flaw() == nil)
            #expect(try file().contains("that a power cut left unfinished"))
        }
    }

    @Test("the log is bounded: old files make room, and what is left is whole")
    func bounded() async throws {
        let service = service(EventFiles(directory: directory, fileBytesMax: 16 << 10))
        let text = String(repeating: "x", count: Event.textMax)
        for _ in 0..<30 {
            await service.record((0..<10).map { _ in Event(.cloud, who: text, text) })
        }
        let names = try await Command.run(["/bin/ls", directory]).output.split(separator: "\n")
        #expect(names.count == EventLimits.filesMax)
        let size = try await Command.run(["/usr/bin/du", "-sb", directory]).output
        #expect(Int(size.prefix { $0.isNumber }) ?? .max <= 9 * 16 << 10)
        #expect(try flaw() == nil)
        #expect(await service.trouble == nil)
    }

    @Test(
        "a full disk: at most 256 events wait, what was dropped is told, and no number is missing")
    func fullDisk() async throws {
        try SmallFile.replace(directory, with: [])  // A file where the directory should be.
        let service = service()
        for index in 0..<300 { await service.record([Event(.cloud, "event \(index)")]) }
        #expect(await service.trouble?.contains(directory) == true)
        unlink(directory)
        await service.record([Event(.cloud, "free again")])
        #expect(await service.trouble == nil)
        #expect(try flaw() == nil)
        let lines = try EventFiles.read(directory)
        #expect(lines.count == EventLimits.waitingMax + 1)
        #expect(try file().contains("45 events were dropped while the disk took none"))
    }

    @Test("what is no entry is shown as damage, never as a crash")
    func nonsense() async throws {
        await service().record([Event(.start, "one")])
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var bytes = Array(try file().utf8)
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            try SmallFile.replace(directory + "/events-000000000002.jsonl", with: bytes + [10])
            #expect(try EventFiles.read(directory).count >= 1)
        }
    }

    @Test("SHA-256: the vectors of FIPS 180-4")
    func vectors() {
        #expect(
            SHA256.hex("abc".utf8)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hex([])
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            SHA256.hex(repeatElement(UInt8(ascii: "a"), count: 100_000))
                == "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee")
    }
}

@Suite("What becomes an event")
struct EventWatchTests {
    private func events(
        after first: StatusDocument = goodDay(), _ change: (inout StatusDocument) -> Void
    ) -> [String] {
        var watch = EventWatch()
        _ = watch.handle(first, at: .boot)
        var second = first
        change(&second)
        return watch.handle(second, at: .boot + .seconds(1)).map {
            "\($0.kind): \($0.who): \($0.what)"
        }
    }

    @Test("a house at rest tells nothing")
    func rest() {
        #expect(events { $0.uptimeSeconds += 1 } == [])
    }

    @Test("the beginning: the key's position")
    func beginning() {
        var watch = EventWatch()
        let events = watch.handle(goodDay(), at: .boot)
        #expect(events.map(\.what).contains("found on: remote access is allowed"))
    }

    @Test("a failover tells the loss and the successor")
    func failover() {
        #expect(
            events {
                $0.uplinks[0].isUp = false
                $0.uplinks[0].isCarrying = false
                $0.uplinks[0].reason = "no carrier"
                $0.uplinks[1].isCarrying = true
            } == [
                "uplink: drawbridge: office is down: no carrier",
                "uplink: drawbridge: wifi carries the traffic, instead of office",
            ])
    }

    @Test("the key, also when it is turned twice between two looks")
    func key() {
        #expect(
            events { $0.keySwitch?.position = .off }
                == ["switch: key switch: turned off: remote access is closed"])
        #expect(
            events { $0.keySwitch?.changes += 2 } == [
                "switch: key switch: turned 2 times in quick succession, "
                    + "now on: remote access is allowed"
            ])
    }

    @Test("a key that moves is no news before it has come to rest, wherever that is")
    func movingKey() {
        for (position, told) in [
            (
                StatusDocument.KeySwitch.Position.on,
                "turned 2 times in quick succession, now on: remote access is allowed"
            ), (.off, "turned off: remote access is closed"),
        ] {
            var watch = EventWatch()
            var day = goodDay()
            _ = watch.handle(day, at: Instant(nanoseconds: 0))
            day.keySwitch?.isSettling = true
            day.keySwitch?.changes += 1
            #expect(watch.handle(day, at: Instant(nanoseconds: 100_000_000)) == [])
            day.keySwitch?.isSettling = nil
            day.keySwitch?.position = position
            if position == .on { day.keySwitch?.changes += 1 }
            let news = watch.handle(day, at: Instant(nanoseconds: 400_000_000))
            #expect(news.map(\.what) == [told])
        }
    }

    @Test("a session lasted until it ended, not until it was looked at")
    func sessionLength() throws {
        var watch = EventWatch()
        var day = goodDay()
        day.tunnel?.sinceSeconds = 40
        _ = watch.handle(day, at: Instant(nanoseconds: 0))
        day.tunnel?.isConnected = false
        day.tunnel?.sinceSeconds = 0
        day.tunnel?.reason = "gone"
        let news = watch.handle(day, at: Instant(nanoseconds: 2_500_000_000))
        #expect(try #require(news.first).what.contains("session ended after 43 s"))
    }

    @Test(
        "behaviour 10: rules that somebody else changed are told, also when they were put back at once"
    )
    func foreignChanges() {
        let before = goodDay().firewall.foreignChanges ?? 0
        #expect(
            events {
                $0.firewall.foreignChanges = before + 2
                $0.firewall.foreignChangeBy = "nft"
            } == ["security: nft: firewall changed by somebody else, and put back, 2 times"])
    }

    @Test(
        "behaviour 2.10: a sign of an attack is told when it begins and when it ends, with who and how much"
    )
    func signs() {
        let sign = StatusDocument.Firewall.Sign(
            zone: "wan", measure: "drops", rate: 4_321, peak: 5_000, limit: 200, total: 98_765,
            sinceSeconds: 34)
        let knock = StatusDocument.Firewall.Refused(
            counter: "wan_to_router", from: "10.1.0.66", to: "10.1.0.2", service: "tcp/22",
            packets: 17)
        #expect(
            events {
                $0.firewall.signs = [sign]
                $0.firewall.refused = [knock]
            } == [
                "security: company network or internet: sign of an attack: 4,321 packets a second "
                    + "dropped from WAN (limit 200); lately 10.1.0.66 to 10.1.0.2, tcp/22 (17)"
            ])
        var attacked = goodDay()
        attacked.firewall.signs = [sign]
        #expect(events(after: attacked) { $0.firewall.signs?[0].rate = 300 } == [])
        #expect(
            events(after: attacked) { $0.firewall.signs = [] } == [
                "security: company network or internet: sign of an attack is over after 34 s: at "
                    + "most 5,000 packets a second dropped from WAN, 98,765 in all"
            ])
    }

    @Test(
        "behaviour 6.1: dropped packets are told with some of who sent them, within the log's bounds"
    )
    func dropped() {
        let told = events {
            $0.firewall.counters[0].packets += 7
            $0.firewall.refused = (1...9).map { last in
                StatusDocument.Firewall.Refused(
                    counter: last == 9 ? "wan_to_lan" : "wan_to_router", from: "10.1.0.\(last)",
                    to: "10.1.0.2", service: "tcp/22", packets: 1)
            }
        }
        #expect(
            told == [
                "security: company network or internet: 7 packets dropped: WAN to router; lately "
                    + "10.1.0.1 to 10.1.0.2, tcp/22 (1); 10.1.0.2 to 10.1.0.2, tcp/22 (1); "
                    + "10.1.0.3 to 10.1.0.2, tcp/22 (1) and others"
            ])
    }

    @Test("behaviour 6.1: a counter that was begun anew is told from its beginning")
    func countersBegunAnew() {
        var watch = EventWatch()
        var document = goodDay()
        document.firewall.counters[0].packets = 2_000_000
        document.egress.refused = 5_000
        _ = watch.handle(document, at: .boot)
        document.firewall.counters[0].packets = 3
        document.egress.refused = 2
        let told = watch.handle(document, at: .boot + .seconds(1)).map(\.what)
        #expect(told.count == 2)
        #expect(told.first?.hasPrefix("3 packets dropped") ?? false)
        #expect(told.last?.hasPrefix("2 questions refused") ?? false)
    }

    @Test(
        "behaviour 6.1: also when it has come to the old count again, or beyond, within the pause")
    func countersCaughtUp() {
        var watch = EventWatch()
        var document = goodDay()
        document.firewall.counters[0].packets = 0
        document.egress.askers = []
        _ = watch.handle(document, at: .boot)
        func look(_ packets: UInt64, asked: UInt64, at seconds: Int64) -> [String] {
            document.firewall.counters[0].packets = packets
            document.egress.askers =
                asked == 0
                ? []
                : [
                    .init(
                        uid: 33, user: "www-data", program: "curl", refused: asked,
                        lastName: "ads.example")
                ]
            return watch.handle(document, at: .boot + .seconds(seconds)).map(\.what)
        }
        #expect(look(1, asked: 1, at: 1).count == 2)
        #expect(look(0, asked: 0, at: 2) == [])
        #expect(look(4, asked: 1, at: 3) == [])
        let told = look(4, asked: 1, at: 700)
        #expect(told.count == 2)
        #expect(told.first?.hasPrefix("4 packets dropped") ?? false)
        #expect(told.last?.hasPrefix("1 question refused") ?? false)
    }

    @Test("behaviour 3.5: a program that asks for other names is named, once in ten minutes")
    func askers() {
        var watch = EventWatch()
        var document = goodDay()
        document.egress.askers = []
        _ = watch.handle(document, at: .boot)
        func look(_ refused: UInt64, at seconds: Int64) -> [String] {
            document.egress.refused += refused
            let before = document.egress.askers?.first?.refused ?? 0
            document.egress.askers = [
                .init(
                    uid: 33, user: "www-data", program: "curl", refused: before + refused,
                    lastName: "ads.example")
            ]
            return watch.handle(document, at: .boot + .seconds(seconds)).map {
                "\($0.who): \($0.what)"
            }
        }
        let told = "curl of www-data (uid 33)"
        #expect(
            look(1, at: 1) == [
                "\(told): 1 question refused for names that are not on the list, last ads.example"
            ])
        #expect(look(5, at: 2) == [])
        #expect(
            look(1, at: 601) == [
                "\(told): 6 questions refused for names that are not on the list, last ads.example"
            ])
    }

    @Test("a session's end says how long it lasted and why it ended")
    func session() {
        #expect(
            events {
                $0.tunnel?.isConnected = false
                $0.tunnel?.reason = "the key is off"
            } == ["vpn: server 203.0.113.10: session ended after 59 s: the key is off"])
    }

    @Test("and what it has carried")
    func carried() {
        var watch = EventWatch()
        var document = goodDay()
        document.tunnel?.inwardBytes = 1_234_000
        document.tunnel?.outwardBytes = 56
        _ = watch.handle(document, at: .boot)
        document.tunnel?.isConnected = false
        document.tunnel?.reason = "the key is off"
        #expect(
            watch.handle(document, at: .boot + .seconds(1)).map(\.what)
                == ["session ended after 59 s, 1.23 MB in, 56 B out: the key is off"])
    }

    @Test("a session that does not come about is told with its reason, once for each reason")
    func noSession() {
        var watch = EventWatch()
        var document = goodDay()
        document.tunnel?.isConnected = false
        document.tunnel?.state = "enrolling"
        _ = watch.handle(document, at: .boot)
        var told: [String] = []
        for second in 1...100 {
            document.tunnel?.state = second % 10 < 5 ? "backing-off" : "enrolling"
            document.tunnel?.reason = second < 50 ? "refused" : "busy"
            told += watch.handle(document, at: .boot + .seconds(second)).map(\.what)
        }
        #expect(told == ["no session: refused", "no session: busy"])
        document.tunnel?.state = "connected"
        document.tunnel?.isConnected = true
        document.tunnel?.address = "10.8.0.6"
        document.tunnel?.certificate = "4f2a"
        #expect(
            watch.handle(document, at: .boot + .seconds(101)).map(\.what)
                == ["session begun as 10.8.0.6 with certificate 4f2a"])
    }

    @Test(
        "an attacker cannot fill the log: dropped packets are told once in ten minutes, with a count"
    )
    func attacker() {
        var watch = EventWatch()
        var document = goodDay()
        _ = watch.handle(document, at: .boot)
        var told: [String] = []
        for second in 1...1300 {
            document.firewall.counters[0].packets += 1000
            told += watch.handle(document, at: .boot + .seconds(second)).map(\.what)
        }
        #expect(
            told == [
                "1,000 packets dropped: WAN to router", "600,000 packets dropped: WAN to router",
                "600,000 packets dropped: WAN to router",
            ])
    }

    @Test("a room that fails, once, and that works again")
    func rooms() {
        var broken = goodDay()
        broken.failures = [.init(room: "egress", reason: "port taken", retrySeconds: 2)]
        let failures = broken.failures
        #expect(
            events { $0.failures = failures }
                == ["stop: drawbridge: egress has failed: port taken"])
        #expect(events(after: broken) { $0.failures?[0].retrySeconds = 1 } == [])
        #expect(
            events(after: broken) { $0.failures = nil }
                == ["start: drawbridge: egress works again"])
    }

    @Test("cloud, recorder and machines")
    func data() {
        #expect(
            events {
                $0.cloud.isConnected = false
                $0.cloud.reason = "timed out"
                $0.recorder.state = "degraded: No space left on device"
                $0.machines[0].isConnected = false
                $0.machines[0].reason = "no route"
            } == [
                "cloud: drawbridge: gone: timed out",
                "recorder: drawbridge: degraded: No space left on device",
                "machine: plc-1: gone: no route",
            ])
    }
}
