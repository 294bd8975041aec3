import Base
import FoundationEssentials
import Testing

@testable import Console

@Suite("Status page")
struct StatusPageTests {
    @Test("what comes from outside cannot become markup")
    func escaping() {
        var document = badDay()
        let evil = "\"><script>alert('1')</script>\u{202e}\u{1b}[2J&"
        document.device = evil
        document.problems = [evil]
        for index in document.uplinks.indices {
            document.uplinks[index].name = evil
            document.uplinks[index].reason = evil
        }
        document.machines[1].name = evil
        document.cloud.reason = evil
        document.keySwitch?.reason = evil
        document.firewall.state = evil
        document.egress.names = [evil]
        let page = StatusPage.html(document)
        #expect(!page.contains("<script"))
        #expect(!page.contains("\u{202e}"))
        #expect(!page.contains("\u{1b}"))
        #expect(page.contains("&lt;script&gt;"))
    }

    @Test("nothing from elsewhere, no script, landmarks, one heading of the first rank")
    func structure() {
        for document in [goodDay(), badDay(), StatusDocument()] {
            let page = StatusPage.html(document)
            for word in ["http", "src=", "<script", "<form", "@import", "url("] {
                #expect(!page.contains(word), "\(word)")
            }
            for word in ["<header>", "<main id=\"main\">", "<footer>", "lang=\"en\""] {
                #expect(page.contains(word), "\(word)")
            }
            #expect(page.components(separatedBy: "<h1>").count == 2)
            #expect(
                page.components(separatedBy: "<section").count
                    == page.components(separatedBy: "</section>").count)
        }
    }

    @Test("no fact stands without its value, also when no name is open")
    func facts() {
        var quiet = goodDay()
        quiet.egress.names = []
        for document in [goodDay(), quiet, badDay()] {
            #expect(!StatusPage.html(document).contains("<dd></dd>"))
        }
    }

    @Test("each element that is opened is closed, in order")
    func wellFormed() throws {
        let void: Set<Substring> = ["meta", "path", "!DOCTYPE"]
        for document in [goodDay(), badDay()] {
            var open: [Substring] = []
            for tag in StatusPage.html(document).matches(of: #/<(\/?)([A-Za-z0-9!]+)[^>]*>/#) {
                if void.contains(tag.2) { continue }
                if tag.1.isEmpty {
                    open.append(tag.2)
                } else {
                    #expect(open.popLast() == tag.2)
                }
            }
            #expect(open == [])
        }
    }

    @Test("in ten seconds: online, closed, recorded, who may get in")
    func inShort() {
        let good = StatusPage.html(goodDay())
        for words in [
            ">Online<", ">Closed<", ">Recording<", ">Remote access open<", "room for 16 more days",
        ] {
            #expect(good.contains(words), "\(words)")
        }
        let bad = StatusPage.html(badDay())
        for words in [">Offline<", ">Not recording<", ">Remote access closed<", "gone since 14:45"]
        {
            #expect(bad.contains(words), "\(words)")
        }
    }

    @Test("a caller may ask a few times a second, and cannot use up what others need")
    func budget() throws {
        var budget = RequestBudget()
        let (mine, other) = (IPv4Address(value: 1), IPv4Address(value: 2))
        let admitted = (0..<100).count { _ in budget.admits(mine, at: .boot) }
        let others = budget.admits(other, at: .boot)
        let early = budget.admits(mine, at: .boot + .milliseconds(100))
        let later = budget.admits(mine, at: .boot + .seconds(1))
        #expect(admitted == 12)
        #expect(others && !early && later)
        // Many callers: the table is bounded, and so is what all of them get.
        var flood = RequestBudget()
        let served = (0..<1000).count { index in
            flood.admits(IPv4Address(value: UInt32(index)), at: .boot + .milliseconds(index))
        }
        #expect(served <= 60)
    }
}

@Suite("Support bundle")
struct BundleTests {
    @Test(
        "secrets go, the rest stays",
        arguments: [
            ("password = \"hunter2\"", "password = [removed]"),
            ("# old passphrase: hunter2 x", "# old passphrase: [removed] x"),
            ("api_key='abc', size = 3", "api_key=[removed], size = 3"),
            ("url = \"https://u:p@host/x\"", "url = \"https://[removed]@host/x\""),
            ("Authorization: Bearer abcdef123456", "Authorization: [removed] [removed]"),
            ("openvpn --auth-token abc --port 1", "openvpn --auth-token [removed] --port 1"),
            ("{\"token\":\"abc\",\"a\":1}", "{\"token\":[removed],\"a\":1}"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.e30.abc end", "jwt [removed] end"),
            (
                "key = \"/etc/drawbridge/pki/device.key\"",
                "key = \"/etc/drawbridge/pki/device.key\""
            ),
            ("spinning = 3", "spinning = 3"), ("sim-pin = 1234", "sim-pin = [removed]"),
            ("the password was wrong", "the password was wrong"),
        ])
    func redaction(_ text: String, _ clean: String) {
        #expect(Redactor.clean(text) == clean)
    }

    @Test("keys in PEM go, certificates stay, lines keep their numbers")
    func keys() {
        let text = """
            a
            -----BEGIN PRIVATE KEY-----
            MIIEvQ
            -----END PRIVATE KEY-----
            -----BEGIN CERTIFICATE-----
            MIIC
            -----END CERTIFICATE-----
            -----BEGIN OpenVPN Static key V1-----
            6acef03f62675b4b1bbd03e53b187727
            -----END OpenVPN Static key V1-----
            b
            """
        let clean = Redactor.clean(text)
        #expect(!clean.contains("MIIEvQ"))
        #expect(!clean.contains("6acef"))
        #expect(clean.contains("MIIC"))
        #expect(clean.split(separator: "\n").count == 11)
        #expect(clean.hasSuffix("\nb"))
    }
}

@Suite("Diagnosis")
struct DiagnosisTests {
    private func plan() throws -> DoctorPlan {
        DoctorPlan(
            device: "press-line-4",
            uplinks: [
                .init(
                    name: "office", interface: "eth0", address: IPv4Address("10.1.0.2"),
                    gateway: IPv4Address("10.1.0.1"))
            ],
            nameServers: [try #require(IPv4Address("9.9.9.9"))],
            brokerHost: try #require(DomainName("mqtt.ixon.net")), brokerPort: 443,
            authority: "/pki/ca.pem", recorderDirectory: "/ring")
    }

    private func findings() throws -> DoctorFindings {
        let plan = try plan()
        var uplink = DoctorFindings.Uplink(plan: plan.uplinks[0])
        uplink.hasCarrier = true
        uplink.gatewayAnswers = true
        uplink.hardwareAddress = "02:00:00:00:00:01"
        uplink.names = [(plan.nameServers[0], .works(""))]
        uplink.connection = .works("")
        uplink.tls = .shown(.init(subject: "mqtt.ixon.net", issuer: "Our CA"))
        var findings = DoctorFindings()
        findings.uplinks = [uplink]
        findings.brokerAddress = IPv4Address("203.0.113.10")
        findings.diskFree = 100_000_000_000
        findings.wallMilliseconds = 1_795_010_529_000
        findings.isClockKept = true
        return findings
    }

    private func failures(
        _ status: StatusDocument = goodDay(), _ change: (inout DoctorFindings) -> Void
    ) throws -> [String: String] {
        var findings = try findings()
        change(&findings)
        let report = Diagnosis(plan: try plan(), findings: findings, status: status).report()
        return Dictionary(report.failures.map { ($0.name, $0.text) }) { first, _ in first }
    }

    @Test("nothing wrong: no failure, no sentence")
    func healthy() throws {
        let report = Diagnosis(plan: try plan(), findings: try findings(), status: goodDay())
            .report()
        #expect(report.failures.isEmpty)
        #expect(report.forIT == nil)
        #expect(report.text().contains("Nothing to ask of the IT department."))
    }

    @Test("a clock that was never set, and one that the certificate contradicts")
    func clock() throws {
        #expect(
            try failures { $0.wallMilliseconds = 60_000 }["clock"]?.contains("1970-01-01") == true)
        let untimely = try failures {
            $0.uplinks[0].tls = .shown(.init(subject: "mqtt.ixon.net", trust: .untimely))
        }
        #expect(untimely.keys.sorted() == ["clock", "tls"])
    }

    @Test("disk: the recorder's own word, and what the ring may still need")
    func disk() throws {
        var status = goodDay()
        status.recorder.isRecording = false
        status.recorder.state = "degraded: No space left on device"
        #expect(
            try failures(status) { _ in }["disk"]?.contains("/ring: degraded: No space") == true)
        #expect(
            try failures { $0.diskFree = 1_000_000_000 }["disk"]?.contains("grow by 6.77 GB")
                == true)
    }

    @Test("an interface that is not there, or switched off, stops the walk with advice")
    func link() throws {
        let absent = try failures { $0.uplinks[0].exists = false }
        #expect(absent["link"]?.contains("there is no interface eth0") == true)
        let off = try failures { $0.uplinks[0].hasCarrier = nil }
        #expect(off["link"]?.contains("ip link set eth0 up") == true)
        #expect(off.count == 1)
    }

    @Test("an answer that is none")
    func names() {
        let question = NameQuestion(name: "mqtt.ixon.net", identifier: 0x1234)
        #expect(question.bytes.count == 12 + 15 + 4)
        let answer: [UInt8] = [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
        #expect(question.flaw(in: answer) == nil)
        #expect(question.flaw(in: Array(answer.prefix(11))) != nil)
        #expect(question.flaw(in: [0x12, 0x35] + answer.dropFirst(2)) != nil)
        #expect(question.flaw(in: [0x12, 0x34, 0x81, 0x85] + answer.dropFirst(4)) != nil)
        #expect(question.flaw(in: [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0]) != nil)
    }
}
