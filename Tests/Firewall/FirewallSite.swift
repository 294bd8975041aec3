import Base
import Glibc
import Linux
import Logging
import TestSupport
import Testing

@testable import Firewall

/// A router with one uplink, a LAN and a cable that stands for the tunnel; a neighbour at each.
struct FirewallSite {
    let router: NamespaceHost
    /// 10.1.0.66, and the internet's 9.9.9.9 and 203.0.113.10.
    let wan: NamespaceHost
    /// 192.168.140.10
    let plc: NamespaceHost
    /// 10.8.0.6
    let user: NamespaceHost
    let firewall: FirewallService
    let lease: GateLease

    init() async throws {
        router = try NamespaceHost()
        wan = try NamespaceHost()
        plc = try NamespaceHost()
        user = try NamespaceHost()
        try await router.connect("eth0", "10.1.0.2/24", to: wan, "eth0", "10.1.0.66/24")
        try await router.connect(
            "br-lan", "192.168.140.1/24", to: plc, "eth0", "192.168.140.10/24")
        try await router.connect("vpn0", "10.8.0.5/24", to: user, "tun0", "10.8.0.6/24")
        for address in ["9.9.9.9", "203.0.113.10"] {
            try await wan.ip("address add \(address)/32 dev lo")
        }
        try await router.ip("route add default via 10.1.0.66")
        try await wan.ip("route add default via 10.1.0.2")
        try await plc.ip("route add default via 192.168.140.1")
        try await user.ip("route add default via 10.8.0.5")
        firewall = try await router.perform {
            try FirewallService(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        lease = try await router.perform {
            try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan", duration: .seconds(30))
        }
    }

    func dropped(_ counter: Ruleset.Counter) async throws -> UInt64 {
        let counters = try await firewall.status().dropped
        return counters.first { $0.name == counter.rawValue }?.packets ?? 0
    }

    /// Forwards on every interface: what is dropped then, the rules have dropped.
    func forwardEverywhere() async throws {
        try await router.perform {
            for name in ["ip_forward", "conf/eth0/forwarding"] {
                try FileDescriptor(open: "/proc/sys/net/ipv4/\(name)", flags: O_WRONLY)
                    .writeAll([49])
            }
        }
    }
}

func tcp(_ from: NamespaceHost, _ to: String, _ port: UInt16) async throws -> Int32 {
    let to = try address(to)
    return try await from.perform { try Probe.tcp(to, port) }
}

func ping(_ from: NamespaceHost, _ to: String) async throws -> Bool {
    try await from.run(["/usr/bin/ping", "-n", "-c1", "-W1", to]).exit.isSuccess
}
