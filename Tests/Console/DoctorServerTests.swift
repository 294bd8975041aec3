import Base
import Testing

@testable import Console

@Suite("Doctor: servers besides the broker")
struct DoctorServerTests {
    private static func syslog() throws -> DoctorFindings.Server {
        var found = DoctorFindings.Server(
            plan: DoctorServer(
                part: "syslog", key: "[syslog] server",
                host: .name(try #require(DomainName("logs.ixon.net"))), port: 6514,
                authority: "/pki/logs.pem", trouble: nil))
        found.interface = "eth0"
        found.address = IPv4Address("203.0.113.10")
        found.connection = .works("")
        found.tls = .shown(.init(subject: "logs.ixon.net", issuer: "Our CA"))
        return found
    }

    private static func broker() throws -> DoctorFindings.Server {
        let address = try #require(IPv4Address("192.168.140.20"))
        var found = DoctorFindings.Server(
            plan: DoctorServer(
                part: "broker line-broker", key: "[[subscribe]] broker of line-broker",
                host: .address(address), port: 1883, authority: nil, trouble: nil))
        found.interface = "br-lan"
        found.address = address
        found.connection = .works("")
        return found
    }

    private static func report(
        _ servers: [DoctorFindings.Server], push: DoctorPush? = nil
    ) throws -> DoctorReport {
        var plan = DoctorPlan(
            device: "press-line-4", uplinks: [], nameServers: [],
            brokerHost: try #require(DomainName("mqtt.ixon.net")), brokerPort: 443,
            authority: "/pki/ca.pem", recorderDirectory: "/ring")
        plan.push = push
        var findings = DoctorFindings()
        findings.diskFree = 100_000_000_000
        findings.wallMilliseconds = 1_795_010_529_000
        findings.servers = servers
        return Diagnosis(plan: plan, findings: findings, status: goodDay()).report()
    }

    private static func outcomes(_ report: DoctorReport, _ part: String) -> [String] {
        report.parts.filter { $0.name == part }.flatMap(\.steps).map {
            "\($0.name) \($0.outcome.rawValue)"
        }
    }

    @Test("behaviour 6.2: nothing wrong: each step as far as the server has it")
    func healthy() throws {
        let report = try Self.report(
            [Self.syslog(), Self.broker()],
            push: DoctorPush(listen: "192.168.140.1:4470", clients: ["hmi-1"], trouble: nil))
        #expect(Self.outcomes(report, "syslog") == ["dns ok", "tcp ok", "tls ok", "login ok"])
        #expect(Self.outcomes(report, "broker line-broker") == ["tcp ok", "login ok"])
        #expect(Self.outcomes(report, "push") == ["push ok"])
        #expect(report.failures.isEmpty && report.forIT == nil)
    }

    @Test("the first step that fails is the one that is told, with where to look")
    func first() throws {
        var (nameless, silent, foreign) = (try Self.syslog(), try Self.syslog(), try Self.syslog())
        nameless.address = nil
        nameless.connection = nil
        nameless.resolveTrouble = "no answer"
        silent.connection = .fails("no answer within 4s")
        silent.tls = nil
        foreign.tls = .shown(
            .init(subject: "logs.ixon.net", issuer: "Corp CA", trust: .foreign))
        for (server, step, words) in [
            (nameless, "dns", ["logs.ixon.net", "no answer", "[syslog] server"]),
            (silent, "tcp", ["logs.ixon.net (203.0.113.10) tcp/6514", "blocked"]),
            (foreign, "tls", ["intercepted", "\"Corp CA\"", "/pki/logs.pem"]),
        ] {
            let report = try Self.report([server])
            #expect(report.failures.map(\.name) == [step])
            for word in words { #expect(report.failures.first?.text.contains(word) == true) }
            #expect(Self.outcomes(report, "syslog").last == "login skipped")
        }
        let sentence = try Self.report([silent]).forIT
        #expect(sentence?.contains("connect to logs.ixon.net (203.0.113.10) tcp/6514") == true)
    }

    @Test("a login that is refused, a broker whose cable is out, a token that cannot be read")
    func others() throws {
        var (refused, away) = (try Self.broker(), try Self.broker())
        refused.plan.trouble = "not authorised"
        away.connection = .fails("no answer within 4s")
        let login = try Self.report([refused]).failures
        #expect(login.map(\.name) == ["login"])
        #expect(login.first?.text.contains("not authorised: look at [[subscribe]]") == true)
        let report = try Self.report([away])
        #expect(report.failures.first?.text.contains("is its cable in") == true)
        // The machine network is no affair of the IT department.
        #expect(report.forIT == nil)
        let push = try Self.report(
            [],
            push: DoctorPush(
                listen: "192.168.140.1:4470", clients: ["hmi-1"], trouble: "client hmi-1: no file"))
        #expect(push.failures.first?.text.contains("[[push.client]] token-file") == true)
    }

    @Test("no uplink carries: not tried, and no failure of its own")
    func noWayOut() throws {
        var server = try Self.syslog()
        server.interface = nil
        server.address = nil
        server.connection = nil
        server.tls = nil
        let report = try Self.report([server])
        #expect(report.failures.isEmpty)
        #expect(Self.outcomes(report, "syslog") == ["dns skipped", "login skipped"])
    }
}
