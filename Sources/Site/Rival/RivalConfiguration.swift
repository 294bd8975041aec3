/// What one would put together from Debian's packages instead of the daemon: their config files.
///
///     lsm        pings over each uplink, runs a script that moves the default route
///     dnsmasq    answers listed names only, and puts their addresses into the firewall's set
///     nft        a firewall that nobody watches
///     collectd   reads 200 registers once a second, publishes each value
///     mosquitto  keeps them on disk, and bridges them to the cloud's broker over TLS
///     openvpn    remote access
struct RivalConfiguration {
    let directory: SiteDirectory

    var folder: String { directory.path + "/rival" }
    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Each file's name and text.
    var files: [(name: String, text: String)] {
        [
            ("lsm.conf", lsm), ("moved", moved), ("collectd.conf", collectd),
            ("mosquitto.conf", mosquitto), ("openvpn.conf", openvpn), ("firewall.nft", firewall),
        ]
    }

    var dnsmasq: [String] {
        [
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--bind-interfaces", "--listen-address=127.0.0.1", "--address=/#/",
            "--server=/ixon.net/9.9.9.9", "--nftset=/ixon.net/4#inet#rival#cloud",
        ]
    }

    /// A route over each uplink, so that lsm can ask over all of them.
    var routes: String {
        ISP.allCases.map {
            "ip route replace default via \($0.gateway) dev \($0.routerInterface) metric \($0.rawValue)00"
        }.joined(separator: "\n")
    }

    private var lsm: String {
        let uplinks = ISP.allCases.map { isp in
            """
            connection {
              name=\(isp.routerInterface)
              checkip=1.1.1.1
              device=\(isp.routerInterface)
              ttl=64
            }
            """
        }
        return
            ([
                """
                debug=0
                defaults {
                  name=defaults
                  checkip=127.0.0.1
                  eventscript=\(path("moved"))
                  max_successive_pkts_lost=3
                  min_successive_pkts_rcvd=5
                  interval_ms=1000
                  timeout_ms=500
                  check_arp=0
                }
                """
            ] + uplinks).joined(separator: "\n")
    }

    /// Called by lsm with the new state and the connection's name.
    private var moved: String {
        """
        #!/bin/sh
        case "$1 $3" in
        "down eth0") ip route del default dev eth0 ;;
        "up eth0") ip route replace default via 10.1.0.1 dev eth0 metric 100 ;;
        esac
        """
    }

    private var collectd: String {
        let data = (0..<MachineModel.seriesCount).map { number in
            """
              <Data "series-\(number)">
                RegisterBase \(MachineModel.seriesStart + 2 * number)
                RegisterType float
                RegisterCmd ReadHolding
                Type gauge
                Instance "series-\(number)"
              </Data>
            """
        }.joined(separator: "\n")
        let collected = (0..<MachineModel.seriesCount)
            .map { "      Collect \"series-\($0)\"" }.joined(separator: "\n")
        return """
            Hostname "\(Site.deviceName)"
            FQDNLookup false
            Interval 1
            BaseDir "\(folder)"
            LoadPlugin modbus
            LoadPlugin mqtt
            <Plugin modbus>
            \(data)
              <Host "plc-1">
                Address "192.168.140.10"
                Port "502"
                Interval 1
                <Slave 1>
                  Instance "plc-1"
            \(collected)
                </Slave>
              </Host>
            </Plugin>
            <Plugin mqtt>
              <Publish "local">
                Host "127.0.0.1"
                Port 1883
                ClientId "collectd"
                QoS 1
                Prefix "rival"
              </Publish>
            </Plugin>
            """
    }

    private var mosquitto: String {
        """
        user root
        listener 1883 127.0.0.1
        allow_anonymous true
        persistence true
        persistence_location \(folder)/
        autosave_interval 1
        max_queued_messages 0
        connection cloud
        address mqtt.ixon.net:443
        bridge_cafile \(directory.devicePKI)/ca.pem
        bridge_certfile \(directory.devicePKI)/device.pem
        bridge_keyfile \(directory.devicePKI)/device.key
        bridge_tls_version tlsv1.2
        cleansession false
        remote_clientid \(Site.deviceName)
        topic rival/# out 1
        """
    }

    private var openvpn: String {
        """
        client
        remote vpn.ixon.net 1194 udp4
        nobind
        dev-type tun
        dev vpn0
        disable-dco
        ca \(directory.devicePKI)/ca.pem
        cert \(directory.certificates)/session.pem
        key \(directory.certificates)/session.key
        tls-crypt \(directory.devicePKI)/tls-crypt.key
        remote-cert-tls server
        verify-x509-name vpn.ixon.net name
        verb 3
        """
    }

    private var firewall: String {
        """
        table inet rival {
            set cloud { type ipv4_addr; }
            chain input {
                type filter hook input priority 0; policy drop;
                iifname "lo" accept
                ct state established,related accept
            }
            chain forward {
                type filter hook forward priority 0; policy drop;
                ct state established,related accept
                iifname "vpn0" oifname "br-lan" accept
            }
            chain output {
                type filter hook output priority 0; policy drop;
                oifname "lo" accept
                ct state established,related accept
                ip protocol icmp accept
                ip daddr 9.9.9.9 meta l4proto { tcp, udp } th dport 53 accept
                ip daddr 192.168.140.10 tcp dport 502 accept
                ip daddr @cloud th dport { 443, 1194 } accept
            }
        }
        """
    }
}
