import Base
import Glibc
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Firewall

/// The service and the lease against the kernel, each test in a namespace of its own.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct KernelTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func list(_ host: NamespaceHost) async throws -> String {
        try await host.run(["/usr/sbin/nft", "list", "ruleset"]).output
    }

    private func service(_ host: NamespaceHost) async throws -> FirewallService {
        try await host.perform { try FirewallService(logger: logger) }
    }

    @Test("a policy is loaded, read back, and the same again changes nothing")
    func applyTwice() async throws {
        let host = try NamespaceHost()
        let service = try await service(host)
        try await service.apply(examplePolicy(dhcp: true))
        let first = try await host.run(["/usr/sbin/nft", "-a", "list", "ruleset"]).output
        #expect(first.contains("iifname . oifname @vpn_gate"))
        try await service.apply(examplePolicy(dhcp: true))
        // Rule handles would be new if the rules had been loaded again.
        let second = try await host.run(["/usr/sbin/nft", "-a", "list", "ruleset"]).output
        #expect(second == first)
        let status = try await service.status()
        #expect(status.isInForce)
        #expect(!status.isOpenForLoopbackOnly)
        #expect(status.dropped.map(\.name) == Ruleset.Counter.allCases.map(\.rawValue))
    }

    @Test("another policy exchanges the rules; open addresses, counts and the lease stay")
    func reapplyKeepsElements() async throws {
        let host = try NamespaceHost()
        let service = try await service(host)
        try await service.apply(examplePolicy())
        try await service.open([address("203.0.113.10")], for: .seconds(3600))
        let lease = try await host.perform {
            try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan", duration: .seconds(60))
        }
        try lease.refresh()
        var changed = try examplePolicy()
        changed.timeServers = []
        try await service.apply(changed)
        let text = try await list(host)
        #expect(!text.contains("udp dport 123"))
        #expect(text.contains("203.0.113.10 timeout 1h"))
        #expect(try lease.isOpen())
        #expect(try await service.status().isInForce)
    }

    @Test("what an earlier process has opened is closed with the first rules of the next one")
    func restartForgetsOpenings() async throws {
        let host = try NamespaceHost()
        let earlier = try await service(host)
        try await earlier.apply(examplePolicy())
        try await earlier.open([address("203.0.113.10")], for: .seconds(86_400))
        let lease = try await host.perform {
            try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan", duration: .seconds(60))
        }
        try lease.refresh()
        let next = try await service(host)
        try await next.apply(examplePolicy())
        #expect(try await !list(host).contains("203.0.113.10"))
        #expect(try !lease.isOpen())
        #expect(try await next.status().isInForce)
    }

    @Test("a foreign flush or a foreign rule is seen, and the next apply repairs it")
    func foreignChange() async throws {
        let host = try NamespaceHost()
        let service = try await service(host)
        for foreign in [
            "flush ruleset", "insert rule inet drawbridge input accept",
            "flush chain inet drawbridge output",
        ] {
            try await service.apply(examplePolicy())
            #expect(try await service.status().isInForce)
            let result = try await host.run(["/usr/sbin/nft", foreign])
            #expect(result.exit.isSuccess, "\(result.error)")
            #expect(try await !service.status().isInForce)
            try await service.apply(examplePolicy())
            #expect(try await service.status().isInForce)
        }
    }

    @Test("deny-all, then a policy; the kernel forwards only when there is remote access")
    func denyAllFirst() async throws {
        let host = try NamespaceHost()
        let service = try await service(host)
        try await host.ip("link add eth0 type veth peer name far0")
        try await service.denyAll()
        #expect(try await service.status().isOpenForLoopbackOnly)
        let forwarding: @Sendable () throws -> [String] = {
            try ["ip_forward", "conf/eth0/forwarding", "conf/lo/forwarding"].map {
                String(try SmallFile.readText("/proc/sys/net/ipv4/\($0)").prefix(1))
            }
        }
        #expect(try await host.perform(forwarding) == ["0", "0", "0"])
        try await service.apply(examplePolicy())
        #expect(try await host.perform(forwarding) == ["1", "0", "1"])
        try await service.apply(examplePolicy(vpn: false))
        #expect(try await host.perform(forwarding) == ["0", "0", "0"])
    }

    @Test("rules that nft refuses leave the ones before in force")
    func refusedRules() async throws {
        let host = try NamespaceHost()
        let table = try await host.perform { try KernelFilterTable() }
        try await host.run(["/usr/sbin/nft", "-f", "-"], input: Ruleset.denyAll.text())
        let before = try table.read()
        #expect(before.deviation(from: .denyAll) == nil)
        let result = try await host.run(
            ["/usr/sbin/nft", "-f", "-"],
            input: Ruleset.denyAll.text() + "add rule inet drawbridge input goto nowhere\n")
        #expect(!result.exit.isSuccess)
        #expect(try table.read() == before)
    }

    @Test("an open address expires by itself, and opening it again begins its time anew")
    func cloudExpiry() async throws {
        let host = try NamespaceHost()
        let service = try await service(host)
        try await service.apply(examplePolicy())
        try await service.open([address("203.0.113.10")], for: .seconds(3600))
        try await service.open([address("203.0.113.10")], for: .milliseconds(200))
        try await service.open([address("203.0.113.11")], for: .seconds(60))
        let expired = try await eventually {
            try await !list(host).contains("203.0.113.10 ")
        }
        #expect(expired)
        #expect(try await list(host).contains("203.0.113.11 timeout 1m"))
    }

    @Test("opening without a firewall says what was attempted and why it failed")
    func openWithoutTable() async throws {
        let host = try NamespaceHost()
        let service = try await service(host)
        await #expect(
            throws: SystemError("open 1 cloud addresses in the firewall", code: ENOENT)
        ) {
            try await service.open([address("203.0.113.10")], for: .seconds(1))
        }
    }

    /// An older kernel's way works on every kernel, the short one since Linux 6.12.
    @Test(
        "an element that is renewed outlasts its time-out, and no more",
        arguments: [false] + (KernelRelease.running >= KernelRelease(6, 12) ? [true] : []))
    func renewal(inPlace: Bool) async throws {
        let host = try NamespaceHost()
        try await service(host).apply(examplePolicy())
        let gate = try await host.perform { try SetOfOne(inPlace: inPlace) }
        for _ in 0..<10 {
            try gate.renew()
            try await Task.sleep(for: .milliseconds(100))
            #expect(try gate.isThere())
        }
        try await Task.sleep(for: .milliseconds(400))
        #expect(try !gate.isThere())
        try gate.renew()
        #expect(try gate.isThere())
    }

    /// An element of the gate with a time-out of 400 ms.
    private final class SetOfOne: Sendable {
        private let socket: Mutex<NFTablesSocket>
        private let element = NFTablesElement(
            key: NFTablesElement.key("vpn0", "br-lan"), timeout: .milliseconds(400))
        private let inPlace: Bool

        init(inPlace: Bool) throws {
            socket = Mutex(try NFTablesSocket())
            self.inPlace = inPlace
        }

        func renew() throws {
            var batch = NFTablesBatch(
                table: Ruleset.table,
                NFTablesBatch.renewal(of: Ruleset.vpnGateSet, [element], inPlace: inPlace))
            try socket.withLock { try $0.commit(&batch, "renew") }
        }

        func isThere() throws -> Bool {
            try socket.withLock {
                try $0.contains(
                    table: Ruleset.table, set: Ruleset.vpnGateSet, key: element.key)
            }
        }
    }

    @Test("a lease opens, closes at once, and expires by itself when nobody refreshes it")
    func lease() async throws {
        let host = try NamespaceHost()
        let lease = try await host.perform {
            try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan")
        }
        // Before there is a firewall: nothing to close, and nothing can be opened.
        try lease.close()
        #expect(try !lease.isOpen())
        #expect(throws: SystemError("open the gate in the firewall", code: ENOENT)) {
            try lease.refresh()
        }
        try await service(host).apply(examplePolicy())
        try lease.close()
        for _ in 0..<3 {
            try lease.refresh()
            #expect(try lease.isOpen())
        }
        let text = try await list(host)
        #expect(text.contains(#""vpn0" . "br-lan" timeout 480ms"#))
        try lease.close()
        #expect(try !lease.isOpen())
        #expect(try await !list(host).contains(#""vpn0" . "br-lan""#))
        try lease.close()

        try lease.refresh()
        let start = SystemClock().now()
        let closed = try await eventually { try !lease.isOpen() }
        #expect(closed)
        // It is a lease of 500 ms: it must not have ended long before.
        #expect(SystemClock().now() - start >= .milliseconds(450))
    }

    @Test("an endless element in the place of a leased one is replaced")
    func foreignElement() async throws {
        let host = try NamespaceHost()
        try await service(host).apply(examplePolicy())
        let lease = try await host.perform {
            try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan")
        }
        try lease.refresh()
        let set = "inet drawbridge vpn_gate"
        for change in ["delete", "add"] {
            let done = try await host.run(
                ["/usr/sbin/nft", "\(change) element \(set) { vpn0 . br-lan }"])
            #expect(done.exit.isSuccess, "\(done.error)")
        }
        let before = try await list(host)
        #expect(before.contains(#""vpn0" . "br-lan""#))
        #expect(!before.contains(#""vpn0" . "br-lan" timeout"#))
        try lease.refresh()
        #expect(try await list(host).contains(#""vpn0" . "br-lan" timeout 480ms"#))
    }

    @Test("closing gets through when a foreign hand has filled the set or left half of the lease")
    func closeAgainstOdds() async throws {
        let host = try NamespaceHost()
        try await service(host).apply(examplePolicy())
        let lease = try await host.perform {
            try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan", duration: .seconds(60))
        }
        let set = "inet drawbridge vpn_gate"
        try lease.refresh()
        try await host.run(["/usr/sbin/nft", "delete element \(set) { br-lan . vpn0 }"])
        let filler = (0..<15).map { "x\($0) . y" }.joined(separator: ", ")
        let filled = try await host.run(["/usr/sbin/nft", "add element \(set) { \(filler) }"])
        #expect(filled.exit.isSuccess, "\(filled.error)")
        try lease.close()
        #expect(try !lease.isOpen())
    }

    @Test("what nft complains about is in the error, and so is what to do")
    func complaint() async throws {
        let host = try NamespaceHost()
        let table = try await host.perform { try KernelFilterTable() }
        let error = await #expect(throws: FirewallError.self) {
            try await table.load("add nonsense\n")
        }
        let text = error?.description ?? ""
        #expect(text.contains("syntax error") && text.contains("CAP_NET_ADMIN"))
    }
}

/// Asks again until it is so, for at most five seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<250 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}
