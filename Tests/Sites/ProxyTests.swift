import Base
import Console
import Glibc
import Linux
import Testing

@testable import Site

/// `[vpn] proxy`: remote access out of a company network that has only a proxy (`docs/behaviour.md` §11.4).
@Suite(
    "The VPN over a proxy",
    .enabled(
        if: Programs.obstacles().isEmpty && access("/usr/bin/tinyproxy", X_OK) == 0
            && access("/usr/bin/microsocks", X_OK) == 0), .serialized, .timeLimit(.minutes(2)))
struct ProxyTests {
    private static let (user, password) = ("press-line-4", "\"open\" s\\esame")

    @Test("behaviour 11.4: HTTP with a login, which is in no log, argument or file but its own")
    func http() async throws {
        try await Site.with { try await http(in: $0) }
    }

    private func http(in site: Site) async throws {
        // In a config file of tinyproxy a quote or backslash would need words of its own.
        let password = "open-sesame-4711"
        let file = site.directory.vpn + "/tinyproxy.conf"
        try site.directory.write(
            """
            Port 3128
            Listen 10.1.0.66
            Timeout 60
            MaxClients 10
            LogLevel Connect
            BasicAuth \(Self.user) \(password)
            ConnectPort 8443

            """, to: file)
        _ = try await site.startBackground(
            in: .office, name: "tinyproxy", ["tinyproxy", "-d", "-c", file])
        try await connect(site, "http://10.1.0.66:3128", password, port: "3128")

        // Wrong, then right again: said, and put right without a restart of the daemon.
        let story = Story(site: site)
        try login(site, "wrong-\(password)")
        try await site.turnSwitch(.off)
        try await story.waitUntil("the VPN is stopped") { $0.isTunnelStopped }
        try await site.turnSwitch(.on)
        try await story.waitUntil("the proxy refuses us") {
            $0.status.problems.contains {
                $0 == "vpn: the proxy does not take our user and password"
            }
        }
        try login(site, password, mode: 0o644)
        try await story.waitUntil("a login that others may read") {
            $0.status.problems.contains { $0.contains("is not private: make it chmod 0600") }
        }
        try login(site, password)
        try await story.waitUntil("a session again") { $0.isTunnelConnected }
    }

    @Test("behaviour 11.4: SOCKS5 with a login")
    func socks() async throws {
        try await Site.with { site in
            _ = try await site.startBackground(
                in: .office, name: "microsocks",
                [
                    "microsocks", "-i", "10.1.0.66", "-p", "1080", "-u", Self.user, "-P",
                    Self.password,
                ])
            try await connect(site, "socks5://10.1.0.66:1080", Self.password, port: "1080")
        }
    }

    @Test("behaviour 11.4: NTLM version 2, by a proxy that checks the answer to its challenge")
    func ntlm() async throws {
        try await Site.with { site in
            let proxy = try await site.startBackground(
                in: .office, name: "ntlm-proxy",
                [
                    "python3", Programs.sourceRoot + "/Tests/Tools/ntlm-proxy.py", "10.1.0.66",
                    "3128", "CORP\\\(Self.user)", Self.password,
                ])
            try await connect(
                site, "http://10.1.0.66:3128", Self.password, port: "3128",
                user: "CORP\\\(Self.user)",
                authentication: "ntlm")
            #expect(proxy.isRunning)
        }
    }

    private func login(
        _ site: Site, _ password: String, user: String = user, mode: UInt32 = 0o600
    ) throws {
        try SmallFile.replace(
            site.directory.vpn + "/login", with: Array("\(user)\n\(password)\n".utf8),
            mode: mode)
        _ = chmod(site.directory.vpn + "/login", mode_t(mode))
    }

    /// Starts the daemon with this proxy and waits for a session over it; the password must be nowhere.
    private func connect(
        _ site: Site, _ proxy: String, _ password: String, port: String, user: String = user,
        authentication: String = "basic"
    ) async throws {
        let server = CloudParts.openVPNServer(site.directory)
            .replacing("proto udp4", with: "proto tcp4-server")
            .replacing("port 1194", with: "port 8443")
            .replacing("dev vpn\n", with: "dev vpntcp\n")
            .split(separator: "\n")
            .filter { !$0.hasPrefix("status ") && !$0.hasPrefix("management ") }
            .joined(separator: "\n")
        let file = site.directory.vpn + "/server-tcp"
        try site.directory.write(server + "\n", to: file)
        _ = try await site.startBackground(
            in: .cloud, name: "openvpn-tcp", ["openvpn", "--config", file])
        try login(site, password, user: user)
        try await site.startDaemon(
            config: try Site.shippedConfiguration()
                .replacing("vpn.ixon.net:1194/udp", with: "vpn.ixon.net:8443/tcp")
                .replacing("#proxy = \"http://10.1.0.80:3128\"", with: "proxy = \"\(proxy)\"")
                .replacing("proxy-auth = \"basic\"", with: "proxy-auth = \"\(authentication)\"")
                .replacing(
                    "#proxy-login = \"/etc/drawbridge/pki/proxy-login\"",
                    with: "proxy-login = \"\(site.directory.vpn)/login\""))
        let story = Story(site: site)
        try await story.waitUntil("a session over the proxy") { $0.isTunnelConnected }

        let sockets = try await site.output(in: .router, ["ss", "-Htn", "state", "established"])
        #expect(sockets.contains("10.1.0.66:\(port)"), "\(sockets)")
        #expect(!sockets.contains("203.0.113.10:8443"), "\(sockets)")
        let processes = try await site.output(in: .router, ["ps", "-eww", "-o", "args"])
        let ours = processes.split(separator: "\n").filter { $0.contains("drawbridge") }
        #expect(!ours.isEmpty && !ours.contains { $0.contains(password) })
        #expect(!site.directory.tail("daemon", lines: 100_000).contains(password))
        let table = try await site.output(
            in: .router, [site.programs.daemon, "firewall", "egress"])
        #expect(table.contains("10.1.0.66") && table.contains("the company's proxy"), "\(table)")
        // Its address is open at its port only.
        let other = try await site.run(
            in: .router, ["timeout", "1", "bash", "-c", ": < /dev/tcp/10.1.0.66/22"])
        #expect(!other.error.contains("refused"), "\(other.error)")
    }
}
