import Base
import Linux
import Settings
import TestSupport
import Testing

@testable import Console

@Suite("Drill")
struct DrillTests {
    private static func plan() throws -> DoctorPlan {
        DoctorPlan(
            device: "press-line-4", uplinks: [], nameServers: [],
            brokerHost: try #require(DomainName("mqtt.ixon.net")), brokerPort: 443,
            authority: "/pki/ca.pem", recorderDirectory: "/ring")
    }

    /// A standby over which all works.
    private static func found() throws -> DoctorFindings.Uplink {
        let address = IPv4Address("10.2.0.2")
        var found = DoctorFindings.Uplink(
            plan: .init(
                name: "wifi", interface: "wlan0", address: address,
                gateway: IPv4Address("10.2.0.1")))
        found.hasCarrier = true
        found.gatewayAnswers = true
        found.names = [(try #require(IPv4Address("9.9.9.9")), .works(""))]
        found.connection = .works("")
        found.tls = .shown(.init(subject: "mqtt.ixon.net", issuer: "Our CA"))
        return found
    }

    private static func report(
        _ found: DoctorFindings.Uplink, _ greeting: DoctorFindings.Greeting?
    ) throws -> DrillReport {
        var findings = DoctorFindings()
        findings.brokerAddress = IPv4Address("203.0.113.10")
        let diagnosis = Diagnosis(plan: try plan(), findings: findings, status: goodDay())
        var report = DrillReport(device: "press-line-4")
        report.uplinks = [diagnosis.drill(found, greeting: greeting, took: .milliseconds(140))]
        return report
    }

    private static let accepted = DoctorFindings.Greeting.answered(
        .accepted, after: .milliseconds(40))

    @Test("behaviour 4.14: all steps, up to the session")
    func works() throws {
        let report = try Self.report(try Self.found(), Self.accepted)
        #expect(report.isGood)
        #expect(report.words == "wifi ok")
        let steps = ["link", "address", "gateway", "ping", "dns", "tcp", "tls", "mqtt"]
        #expect(report.uplinks[0].steps.map(\.name) == steps)
        #expect(report.uplinks[0].bytes == 13_620)
        #expect(report.text().hasSuffix("Drill: wifi ok.\n"))
    }

    @Test("behaviour 4.14: the first step that fails names the drill, though later ones work")
    func fails() throws {
        var found = try Self.found()
        found.names = [
            (try #require(IPv4Address("9.9.9.9")), .fails("no answer within 4s"))
        ]
        let report = try Self.report(found, Self.accepted)
        #expect(!report.isGood)
        #expect(report.words == "wifi failed at dns")
        #expect(report.text().contains("no name server answers for mqtt.ixon.net"))
    }

    @Test("behaviour 4.14: a broker that allows no second session proves the way; another does not")
    func sessions() throws {
        let refused = DoctorFindings.Greeting.answered(
            MQTTGreeting.answer([0x20, 2, 0, 5]), after: .milliseconds(40))
        #expect(try Self.report(try Self.found(), refused).isGood)
        let strange = DoctorFindings.Greeting.answered(.strange, after: .zero)
        #expect(try Self.report(try Self.found(), strange).words == "wifi failed at mqtt")
        let failed = DoctorFindings.Greeting.failed("no answer within 4s")
        #expect(try Self.report(try Self.found(), failed).words == "wifi failed at mqtt")
        var untrusted = try Self.found()
        untrusted.tls = .failed("no answer to the greeting")
        #expect(try Self.report(untrusted, nil).words == "wifi failed at tls")
    }

    @Test("behaviour 4.14: one that is given up, and one without a standby, say so")
    func words() {
        var report = DrillReport(device: "a")
        #expect(report.words == "there is no standby")
        report.aborted = "another uplink carries since"
        #expect(!report.isGood)
        #expect(report.words == "given up: another uplink carries since")
    }

    /// What the house of a drill says and hears.
    private actor Desk {
        var carrying: String? = "office"
        var bytes: [String: Int] = [:]

        func set(_ name: String?) { carrying = name }
        func account(_ count: Int, _ name: String) { bytes[name, default: 0] += count }
    }

    @Test(
        "behaviour 4.14: one that is given up counts what it has sent, and keeps the result before",
        arguments: ["wifi", nil])
    func givenUp(then next: String?) async throws {
        let (desk, found) = (Desk(), try Self.found())
        let service = DrillService(
            clock: SystemClock(), resolve: { _ in [] }, carrying: { await desk.carrying },
            account: { await desk.account($0, $1) },
            probe: { _, _, _ in
                var mine = found
                mine.tls = nil
                if await desk.bytes.isEmpty { return mine }
                await desk.set(next)
                // Until it is told to end.
                try? await Task.sleep(for: .seconds(60))
                return mine
            })
        var doctor = try Self.plan()
        doctor.uplinks = [found.plan]
        let plan = DrillPlan(
            doctor: doctor, names: ["wifi"], certificate: "", key: "", pins: [])
        let first = try #require(await service.run(plan, goodDay()))
        #expect(first.aborted == nil)
        #expect(await desk.bytes == ["wifi": 620])
        let second = try #require(await service.run(plan, goodDay()))
        #expect(
            second.aborted?.hasPrefix(
                next == nil ? "no uplink carries" : "another uplink carries") == true)
        #expect(await desk.bytes == ["wifi": 1240])
        #expect(await service.last?.report == first)
    }

    @Test("behaviour 4.14: a session that is left out is no failure, and costs nothing")
    func leftOut() throws {
        let report = try Self.report(try Self.found(), .leftOut("left out: our own"))
        #expect(report.isGood && !report.isSessionTried)
        #expect(report.uplinks[0].bytes == 6_120)
        #expect(try Self.report(try Self.found(), Self.accepted).isSessionTried)
    }

    @Test("the first words of a session, byte by byte, and any answer to them")
    func greeting() {
        #expect(
            MQTTGreeting(name: "drill-1f").bytes == [
                0x10, 20, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 30, 0, 8,
                0x64, 0x72, 0x69, 0x6c, 0x6c, 0x2d, 0x31, 0x66,
            ])
        #expect(MQTTGreeting.answer([0x20, 2, 0, 0]) == .accepted)
        #expect(MQTTGreeting.answer([0x20, 2, 0]) == .strange)
        #expect(MQTTGreeting.answer([]) == .strange)
        #expect(MQTTGreeting.answer(Array("HTTP/1.1 400".utf8)) == .strange)
        var random = SeededGenerator(seed: 414)
        var seen = (accepted: 0, refused: 0, strange: 0)
        for _ in 0..<5000 {
            // A good one, of which some bytes are others, some are missing, or some follow.
            var bytes: [UInt8] = [0x20, 2, UInt8.random(in: 0...1, using: &random), 0]
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                bytes[Int.random(in: 0..<4, using: &random)] =
                    UInt8.random(in: .min ... .max, using: &random)
            }
            let length = Int.random(in: 0...16, using: &random)
            let sent = length < 4 ? Array(bytes.prefix(length)) : bytes + bytes.prefix(length % 5)
            let isHeader = sent.starts(with: [0x20, 2]) && sent.count >= 4
            switch MQTTGreeting.answer(sent) {
            case .accepted:
                seen.accepted += 1
                #expect(isHeader && sent[3] == 0, "\(sent)")
            case .refused:
                seen.refused += 1
                #expect(isHeader && sent[3] != 0, "\(sent)")
            case .strange:
                seen.strange += 1
                #expect(!isHeader, "\(sent)")
            }
        }
        #expect([seen.accepted, seen.refused, seen.strange].allSatisfy { $0 > 300 }, "\(seen)")
    }

    @Test("behaviour 4.14: once a night, also when the clock is set, and not before it is right")
    func nights() throws {
        let time = try #require(Settings.TimeOfDay("23:55"))
        var night = NightlyDrill()
        func civil(_ hour: Int64, _ minute: Int64, day: Int64 = 20_000) -> CivilTime {
            CivilTime(seconds: (day * 24 + hour) * 3600 + minute * 60)
        }
        func at(_ hours: Int64) -> Instant { .boot + .seconds(hours * 3600) }
        func isDue(_ time: Settings.TimeOfDay?, _ wall: CivilTime?, _ hours: Int64) -> Bool {
            night.isDue(time, at: wall, at(hours))
        }
        #expect(!isDue(nil, civil(23, 55), 1))
        #expect(!isDue(time, nil, 1))
        #expect(!isDue(time, civil(23, 54), 1))
        #expect(isDue(time, civil(23, 56), 1))
        #expect(!isDue(time, civil(23, 57), 1))
        // Set back by an hour, and the time comes again.
        #expect(!isDue(time, civil(23, 55), 2))
        #expect(!isDue(time, civil(12, 0, day: 20_001), 13))
        // Past midnight still counts.
        #expect(isDue(time, civil(0, 4, day: 20_002), 25))
        #expect(Settings.TimeOfDay("24:00") == nil)
        #expect(Settings.TimeOfDay("3:00") == nil)
        #expect(Settings.TimeOfDay("03:60") == nil)
        #expect(time.description == "23:55")
    }
}

@Suite("Doctor's text")
struct DoctorTextTests {
    @Test("the sentence for the IT department is whole, however long")
    func whole() {
        var report = DoctorReport(device: "press-line-4")
        let sentence = String(repeating: "please allow UDP 53 to 9.9.9.9 from eth0; ", count: 40)
        report.forIT = sentence + "thank you."
        #expect(report.text().contains(sentence + "thank you."))
    }
}
