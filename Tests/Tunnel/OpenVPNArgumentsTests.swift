import Base
import Settings
import Testing
import Tunnel

@Suite("OpenVPN arguments")
struct OpenVPNArgumentsTests {
    private func arguments(_ vpn: Settings.VPN) throws -> [String] {
        OpenVPNArguments.make(
            vpn, server: try #require(IPv4Address("203.0.113.10")),
            managementPath: "/run/drawbridge/vpn.sock")
    }

    @Test("golden: the example's settings")
    func golden() throws {
        let expected = """
            --client --dev vpn0 --dev-type tun --ifconfig-noexec --disable-dco --proto udp --remote 203.0.113.10 1194 --nobind \
            --persist-tun --remote-cert-tls server --verify-x509-name vpn.ixon.net name \
            --tls-version-min 1.2 --tls-crypt /pki/tls-crypt.key \
            --data-ciphers AES-256-GCM:AES-256-CBC --auth SHA512 --allow-compression no \
            --ca /pki/ca.pem --cert /pki/device.pem --key /pki/device.key \
            --management /run/drawbridge/vpn.sock unix --management-client --management-hold \
            --script-security 1 \
            --pull-filter accept ifconfig_ --pull-filter accept topology_ \
            --pull-filter accept route-gateway_ --pull-filter accept peer-id_ \
            --pull-filter accept cipher_ --pull-filter accept protocol-flags_ \
            --pull-filter accept key-derivation_ --pull-filter accept tun-mtu_ \
            --pull-filter accept auth-token --pull-filter ignore  \
            --connect-timeout 10 --hand-window 15 --ping 10 --ping-restart 30 --verb 3 \
            --suppress-timestamps
            """
        let made = try arguments(try exampleVPN())
        // The spaces that end a filter are shown as underscores.
        let shown = made.map { $0.hasSuffix(" ") ? $0.dropLast() + "_" : $0 }
        #expect(shown.joined(separator: " ") == expected)
    }

    @Test("a credential for each session: neither a certificate nor a key is named")
    func enrolled() throws {
        var vpn = try exampleVPN()
        vpn.enrolment = Settings.Enrolment(
            endpoint: Settings.Endpoint(
                host: try #require(DomainName("enrol.ixon.net")), port: TransportPort(.tcp, 443)))
        let made = try arguments(vpn)
        #expect(made.contains("--management-external-cert"))
        #expect(made.contains("--management-external-key"))
        #expect(!made.contains("--cert") && !made.contains("--key"))
        #expect(!made.contains { $0.contains("device") })
    }

    @Test("over TCP, without a tls-crypt key")
    func tcp() throws {
        var vpn = try exampleVPN()
        vpn.remote.port = TransportPort(.tcp, 443)
        vpn.tlsCrypt = nil
        let made = try arguments(vpn)
        #expect(made.contains("tcp-client") && made.contains("443"))
        #expect(!made.contains("--tls-crypt"))
    }

    @Test("a proxy: its address in the arguments, the login asked for over the management socket")
    func proxy() throws {
        var vpn = try exampleVPN()
        vpn.remote.port = TransportPort(.tcp, 8443)
        let address = try #require(IPv4Address("10.1.0.80"))
        func added() throws -> String {
            let made = try arguments(vpn)
            let begin = try #require(made.firstIndex { $0.hasSuffix("-proxy") })
            let end = try #require(made.firstIndex(of: "--data-ciphers"))
            return made[begin..<end].joined(separator: " ")
        }
        vpn.proxy = Settings.Proxy(kind: .http, address: address, port: 3128)
        #expect(try added() == "--http-proxy 10.1.0.80 3128")
        vpn.proxyLogin = "/pki/proxy-login"
        let query = "--management-query-passwords"
        #expect(try added() == "--http-proxy 10.1.0.80 3128 stdin basic \(query)")
        vpn.proxyAuthentication = .ntlm
        #expect(
            try added()
                == "--http-proxy 10.1.0.80 3128 stdin ntlm2 --providers legacy default \(query)")
        vpn.proxy?.kind = .socks5
        vpn.proxyAuthentication = .basic
        #expect(try added() == "--socks-proxy 10.1.0.80 3128 stdin \(query)")
    }

    @Test("never the option that keeps a session alive after its end")
    func noExitNotify() throws {
        #expect(!(try arguments(try exampleVPN()).contains { $0.contains("exit-notify") }))
    }
}

/// The `[vpn]` of `etc/drawbridge.toml`, with its files in `pki`.
func exampleVPN(pki: String = "/pki") throws -> Settings.VPN {
    Settings.VPN(
        remote: Settings.Endpoint(
            host: try #require(DomainName("vpn.ixon.net")), port: TransportPort(.udp, 1194)),
        interface: "vpn0", network: try #require(CIDR("10.8.0.0/24")),
        identity: Settings.Identity(
            authority: pki + "/ca.pem", certificate: pki + "/device.pem",
            key: pki + "/device.key"),
        tlsCrypt: pki + "/tls-crypt.key", verifyName: "vpn.ixon.net")
}
