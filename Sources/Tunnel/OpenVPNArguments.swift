package import Base
package import Settings

/// The command line of OpenVPN (`man 8 openvpn`, 2.6), a pure function of the settings.
///
/// There is no configuration file and no shell between us and it. `explicit-exit-notify` is never there: it
/// keeps a session alive for seconds after it was told to end.
package enum OpenVPNArguments {
    /// What the server may push; everything else, such as routes and DNS servers, is ignored.
    private static let accepted = [
        "ifconfig ", "topology ", "route-gateway ", "peer-id ", "cipher ", "protocol-flags ",
        "key-derivation ", "tun-mtu ", "auth-token",
    ]

    /// The arguments after the program's name. `server` is an address: OpenVPN hangs in name resolution.
    package static func make(_ vpn: Settings.VPN, server: IPv4Address, managementPath: String)
        -> [String]
    {
        let port = vpn.remote.port
        var arguments = [
            "--client",
            // The device is there and is addressed by us: OpenVPN has no right to do either.
            "--dev", vpn.interface, "--dev-type", "tun", "--ifconfig-noexec", "--disable-dco",
            "--proto", port.transport == .udp ? "udp" : "tcp-client",
            "--remote", "\(server)", "\(port.port)",
            "--nobind",
            // While a session moves, the VPN's packets wait in the device rather than take another route.
            "--persist-tun",
            "--remote-cert-tls", "server",
            "--verify-x509-name", vpn.verifyName, "name",
            "--tls-version-min", "1.2",
        ]
        if let tlsCrypt = vpn.tlsCrypt { arguments += ["--tls-crypt", tlsCrypt] }
        if let proxy = vpn.proxy { arguments += self.proxy(proxy, vpn) }
        arguments += [
            "--data-ciphers", "AES-256-GCM:AES-256-CBC",
            "--auth", "SHA512",
            "--allow-compression", "no",
            "--ca", vpn.identity.authority,
        ]
        arguments +=
            vpn.enrolment == nil
            ? ["--cert", vpn.identity.certificate, "--key", vpn.identity.key]
            // It asks us for the session's certificate, and for each signature: the key stays with us.
            : ["--management-external-cert", "session", "--management-external-key"]
        arguments += [
            // We listen: when we end, however we end, OpenVPN ends.
            "--management", managementPath, "unix",
            "--management-client", "--management-hold",
            "--script-security", "1",
        ]
        for option in accepted { arguments += ["--pull-filter", "accept", option] }
        arguments += ["--pull-filter", "ignore", ""]
        arguments += [
            "--connect-timeout", "10", "--hand-window", "15",
            "--ping", "10", "--ping-restart", "30",
            "--verb", "3", "--suppress-timestamps",
        ]
        return arguments
    }

    /// What OpenVPN would ask for at a console ("stdin") it asks for over the management socket.
    private static func proxy(_ proxy: Settings.Proxy, _ vpn: Settings.VPN) -> [String] {
        var arguments = [
            proxy.kind == .http ? "--http-proxy" : "--socks-proxy", "\(proxy.address)",
            "\(proxy.port)",
        ]
        guard vpn.proxyLogin != nil else { return arguments }
        arguments.append("stdin")
        if proxy.kind == .http {
            arguments +=
                vpn.proxyAuthentication == .ntlm
                // NTLM is made of MD4, which OpenSSL 3 has in its legacy provider only.
                ? ["ntlm2", "--providers", "legacy", "default"] : ["basic"]
        }
        return arguments + ["--management-query-passwords"]
    }
}
