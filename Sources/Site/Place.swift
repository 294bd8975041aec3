/// A network namespace of the site: one host, or one provider.
package enum Place: String, CaseIterable, Sendable {
    /// Between the providers: 1.1.1.1, 9.9.9.9 (DNS) and `evil.example`.
    case internet
    case ispA = "ispa"
    case ispB = "ispb"
    case ispC = "ispc"
    /// 203.0.113.10: MQTT broker, OpenVPN server, the watcher; 203.0.113.11: the enrolment server;
    /// 203.0.113.12: the server for blocks, when a test starts it.
    case cloud
    /// 10.1.0.66: a host in the company network, which may be hostile.
    case office
    /// The technician at home, 10.8.0.20 within the VPN.
    case remote
    /// Where the daemon runs.
    case router
    /// 192.168.140.10: the machine on the router's LAN.
    case plc
}

/// An internet provider, behind one uplink of the router.
package enum ISP: Int, CaseIterable, Sendable {
    /// Office Ethernet, `eth0`.
    case a = 1
    /// Wi-Fi, `wlan0`.
    case b = 2
    /// 4G, `wwan0`.
    case c = 3

    package var place: Place {
        switch self {
        case .a: .ispA
        case .b: .ispB
        case .c: .ispC
        }
    }

    /// The router's interface towards this provider.
    package var routerInterface: String {
        switch self {
        case .a: "eth0"
        case .b: "wlan0"
        case .c: "wwan0"
        }
    }

    /// The provider's address in the router's network.
    package var gateway: String { "10.\(rawValue).0.1" }
}

extension ISP {
    /// As people say it: `ISP A`.
    package var title: String {
        switch self {
        case .a: "ISP A"
        case .b: "ISP B"
        case .c: "ISP C"
        }
    }
}
