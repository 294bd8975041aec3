/// The configuration of the real programs that make up the internet and the cloud.
enum CloudParts {
    /// Answers for the site's names only, on 9.9.9.9 and 1.1.1.1; anything else is NXDOMAIN.
    static let dnsmasq = [
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
        "--bind-interfaces", "--listen-address=9.9.9.9", "--listen-address=1.1.1.1",
        "--local-ttl=30", "--address=/#/",
        "--host-record=mqtt.ixon.net,203.0.113.10,30",
        "--host-record=vpn.ixon.net,203.0.113.10,30",
        "--host-record=logs.ixon.net,203.0.113.10,30",
        "--host-record=\(EnrolmentServer.host),\(EnrolmentServer.address),30",
        "--host-record=\(BulkServer.host),\(BulkServer.address),30",
        "--host-record=\(LoginPage.checkHost),203.0.113.10,30",
        "--host-record=evil.example,\(Topology.evilAddress),30",
        // An allowed name that leads out of the allow-list.
        "--cname=alias.ixon.net,evil.example,30",
    ]

    /// Whoever has a certificate of ours may publish, under the name in it; nobody else gets a session.
    static func mosquitto(_ directory: SiteDirectory) -> String {
        """
        user root
        persistence false
        log_dest stderr
        log_type error
        log_type warning
        log_type notice
        log_type information
        log_type subscribe
        # The watcher must not lose what a long backlog brings at once.
        max_queued_messages 0
        max_inflight_messages 0
        set_tcp_nodelay true
        listener 443 203.0.113.10
        cafile \(directory.certificates)/ca.pem
        certfile \(directory.certificates)/mqtt.pem
        keyfile \(directory.certificates)/mqtt.key
        tls_version tlsv1.2
        require_certificate true
        use_identity_as_username true
        """
    }

    /// The remote-access server: the device brings its LAN, the technician may go there.
    static func openVPNServer(_ directory: SiteDirectory) -> String {
        """
        mode server
        tls-server
        local 203.0.113.10
        port 1194
        proto udp4
        dev-type tun
        dev vpn
        disable-dco
        topology subnet
        server 10.8.0.0 255.255.255.0 nopool
        route 192.168.140.0 255.255.255.0
        client-config-dir \(directory.vpn)/clients
        ccd-exclusive
        script-security 2
        client-connect \(directory.vpn)/admission
        ca \(directory.certificates)/vpn-ca.pem
        cert \(directory.certificates)/vpn.pem
        key \(directory.certificates)/vpn.key
        dh none
        tls-crypt \(directory.certificates)/tls-crypt.key
        tls-version-min 1.2
        remote-cert-tls client
        keepalive 2 10
        status \(directory.vpn)/status 1
        management \(directory.vpn)/management unix
        verb 3
        """
    }

    /// What the server knows about each client, by the common name of its certificate.
    static let openVPNClients = [
        Site.deviceName: """
        ifconfig-push 10.8.0.10 255.255.255.0
        iroute 192.168.140.0 255.255.255.0

        """,
        "technician": """
        ifconfig-push 10.8.0.20 255.255.255.0
        push "route 192.168.140.0 255.255.255.0"

        """,
    ]

    /// A client as the technician runs one.
    static func technician(_ directory: SiteDirectory) -> String {
        """
        client
        remote 203.0.113.10 1194 udp4
        nobind
        dev-type tun
        dev vpn
        disable-dco
        ca \(directory.certificates)/ca.pem
        cert \(directory.certificates)/technician.pem
        key \(directory.certificates)/technician.key
        tls-crypt \(directory.certificates)/tls-crypt.key
        remote-cert-tls server
        verify-x509-name vpn.ixon.net name
        connect-retry 1 2
        connect-timeout 2
        verb 3
        """
    }
}
