import Base
import Console
import Glibc
import Linux
import Testing

@testable import Site

/// Behaviour 11: a key and a certificate for each session.
@Suite(
    "sites: single-use credentials", .serialized, .enabled(if: Programs.obstacles().isEmpty),
    .timeLimit(.minutes(3)))
struct SiteEnrolmentTests {
    /// What the VPN server's admission wrote: name, serial number, verdict.
    private func admissions(_ site: Site) throws -> [[Substring]] {
        try SmallFile.readText(site.directory.vpn + "/sessions")
            .split(separator: "\n").map { $0.split(separator: " ") }
    }

    private func answer(_ words: String, _ site: Site) throws {
        try site.directory.write(words, to: site.directory.vpn + "/enrolment")
    }

    /// Turns the key off and on; returns what is then seen.
    @discardableResult
    private func turn(
        _ site: Site, _ what: String, until isWanted: (StatusDocument.Tunnel) -> Bool
    ) async throws -> StatusDocument.Tunnel? {
        let story = Story(site: site)
        try await site.turnSwitch(.off)
        try await story.waitUntil("the VPN client is stopped") { $0.isTunnelStopped }
        try await site.turnSwitch(.on)
        return try await story.waitUntil(what) { $0.status.tunnel.map(isWanted) ?? false }
            .status.tunnel
    }

    @Test("behaviour 11.1: each session has a certificate of its own, and nothing secret is left")
    func sessions() async throws {
        try await Site.with { try await sessions($0) }
    }

    private func sessions(_ site: Site) async throws {
        let story = Story(site: site)
        // A small ring: all of it is searched.
        let config = try Site.shippedConfiguration()
            .replacing("size = \"8GB\"", with: "size = \"4MB\"")
        try await site.startDaemon(config: config)
        var serials: [String] = []
        let first = try await story.waitUntil("the VPN is connected") { $0.isTunnelConnected }
        serials.append(try #require(first.status.tunnel?.certificate))
        for _ in 0..<4 {
            let tunnel = try await turn(site, "the VPN is connected again") { $0.isConnected }
            serials.append(try #require(tunnel?.certificate))
        }
        // Another uplink is another session, of the same OpenVPN.
        try await site.pullCable(.a)
        let moved = try await story.waitUntil("the session has moved") {
            $0.isTunnelConnected && $0.status.tunnel?.certificate != serials.last
        }
        serials.append(try #require(moved.status.tunnel?.certificate))
        try await site.waitUntil(within: .seconds(10), "the machine through the VPN") {
            (try? await site.readMachine(from: .remote)) != nil
        }
        let carried = try await story.look().status.tunnel
        #expect((carried?.inwardBytes ?? 0) > 0 && (carried?.outwardBytes ?? 0) > 0)
        try await expectPowerless(site)

        let used = try admissions(site).filter { $0[0] == Site.deviceName }
        let admitted = used.filter { $0[2] == "admitted" }
            .map { line in String(line[1].filter { $0 != ":" }) }
        #expect(Set(serials).count == serials.count, "\(serials)")
        #expect(admitted.count == used.count, "\(used)")
        #expect(Set(admitted).count == admitted.count, "\(used)")
        #expect(Set(admitted).isSuperset(of: serials), "\(used) \(serials)")

        try await site.turnSwitch(.off)
        try await story.waitUntil("the VPN client is stopped") { $0.isTunnelStopped }
        try await expectNoSecrets(site)
        try await expectNoReplay(site)
    }

    /// OpenVPN is told no key, and may do nothing to the router.
    private func expectPowerless(_ site: Site) async throws {
        let words = try await site.output(
            in: .router,
            [
                "sh", "-c",
                "pids=$(ip netns pids router); for pid in $pids; do "
                    + "[ \"$(cat /proc/$pid/comm)\" = openvpn ] || continue; "
                    + "tr '\\0' ' ' < /proc/$pid/cmdline; echo; grep -E '^(Cap|NoNew)' /proc/$pid/status; done",
            ])
        #expect(words.contains("--management-external-key"), "\(words)")
        #expect(!words.contains("--key ") && !words.contains("--cert "), "\(words)")
        let none = "\t0000000000000000\n"
        for set in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(words.contains("\(set):\(none)"), "\(words)")
        }
        #expect(words.contains("NoNewPrivs:\t1"), "\(words)")
    }

    /// Private keys in the forms that they are written in: PEM, DER (SEC 1 and PKCS #8), and these in Base64.
    private func search(_ site: Site) async throws -> [Substring] {
        let patterns = [
            "PRIVATE KEY", #"\x30\x77\x02\x01\x01\x04\x20"#,
            #"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"#,
            "MHcCAQEEI", "MIGHAgEAMBMGByqGSM49AgEG",
        ].joined(separator: "|")
        let result = try await site.run(
            in: .router,
            [
                "env", "LC_ALL=C", "grep", "-rlaP", "-D", "skip", patterns, "/var/lib/drawbridge",
                "/run/drawbridge", site.directory.logs,
            ], timeout: .seconds(20))
        // 1: found nothing.
        try #require([.status(0), .status(1)].contains(result.exit), "\(result.error)")
        return result.output.split(separator: "\n")
    }

    private func expectNoSecrets(_ site: Site) async throws {
        let left = try await search(site)
        #expect(left == [])
        // The search does find keys.
        let planted = site.directory.logs + "/planted"
        for format in ["PEM", "DER"] {
            try await site.output(
                in: .router,
                [
                    "openssl", "ec", "-in", site.directory.certificates + "/session.key",
                    "-outform", format, "-out", planted,
                ])
            let found = try await search(site)
            #expect(found == [Substring(planted)], "\(format): \(found)")
        }
        unlink(planted)
    }

    /// A stolen credential, which was used once; and the router's own, which is none for sessions.
    private func expectNoReplay(_ site: Site) async throws {
        func begin(_ name: String) async throws -> String {
            let files = site.directory.certificates
            return try await site.run(
                in: .remote,
                [
                    "timeout", "2", "openvpn", "--client", "--nobind", "--dev", "thief",
                    "--dev-type", "tun", "--remote", "203.0.113.10", "1194", "udp4",
                    "--ca", files + "/ca.pem", "--cert", "\(files)/\(name).pem",
                    "--key", "\(files)/\(name).key", "--tls-crypt", files + "/tls-crypt.key",
                    "--verify-x509-name", "vpn.ixon.net", "name", "--disable-dco",
                    "--connect-retry-max", "1", "--route-nopull",
                ]
            ).output
        }
        #expect(try await begin("session").contains("Initialization Sequence Completed"))
        let again = try await begin("session")
        #expect(again.contains("AUTH_FAILED"), "\(again)")
        #expect(!again.contains("Initialization Sequence Completed"))
        #expect(try admissions(site).last?.last == "refused")
        #expect(!(try await begin("device").contains("Initialization Sequence Completed")))
    }

    @Test("behaviour 11.2: without a credential there is no session, and the reason is told")
    func badDays() async throws {
        try await Site.with { try await badDays($0) }
    }

    private func badDays(_ site: Site) async throws {
        let server = try #require(site.parts.first { $0.name == "enrolment" })
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await Story(site: site).waitUntil("the VPN is connected") { $0.isTunnelConnected }
        for (answer, words) in [
            ("refuse 403", "refuses this router (403)"),
            ("refuse 401", "refuses this router (401)"), ("refuse 404", "is vpn.enrol right?"),
            ("refuse 503", "is busy (503)"), ("refuse 500", "has a fault (500)"),
            ("garbage", "no Base64"), ("endless", "too long"),
            ("page", "something else than a certificate"), ("elsewhere", "sends us elsewhere"),
            ("other-key", "for another key than ours"),
            ("begin 864000", "not valid yet (is our clock right?)"),
            ("begin -864000", "has ended already (is our clock right?)"),
            ("seconds 5", "ends too soon"), ("later 1", "has not decided yet (202)"),
        ] {
            try self.answer(answer, site)
            try await turn(site, "\"\(words)\"") {
                $0.state == "backing-off" && $0.reason.contains(words)
            }
        }
        #expect((try? await site.readMachine(from: .remote)) == nil)
        try await expectSameRequest(site)

        // A server that accepts and says nothing, and none at all.
        server.send(signal: SIGSTOP)
        try await turn(site, "a silent server") { $0.reason.contains("does not answer in time") }
        server.resume()
        try self.answer("", site)
        try await turn(site, "the VPN is connected") { $0.isConnected }
        try await expectRenewal(site)
        await server.stop()
        try await turn(site, "no server") { $0.reason.contains("nobody answers") }
        let events = try await site.output(in: .router, [site.programs.daemon, "events"])
        #expect(events.contains("no session: the enrolment server"))
        #expect(events.contains("with certificate"))
    }

    /// Asked to come back, the router shows the same request; a new one would wait for its own decision for ever.
    private func expectSameRequest(_ site: Site) async throws {
        try await site.waitUntil(within: .seconds(10), "the same request again") {
            let keys = try SmallFile.readText(site.directory.log("enrolment"))
                .split(separator: "\n").filter { $0.hasPrefix("request") }
            return keys.count > 1 && keys.last == keys.dropLast().last
        }
    }

    /// A certificate that soon ends is renewed while the session stands.
    private func expectRenewal(_ site: Site) async throws {
        try answer("seconds 13", site)
        let short = try await turn(site, "the VPN is connected") { $0.isConnected }
        let serial = try #require(short?.certificate)
        try answer("", site)
        let renewed = try await Story(site: site).waitUntil("another certificate") {
            $0.isTunnelConnected && $0.status.tunnel?.certificate != serial
        }
        #expect((renewed.status.tunnel?.certificateSeconds ?? 0) > 3000)
        #expect(renewed.status.tunnel?.restarts ?? 0 > 0)
    }
}
