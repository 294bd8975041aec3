import Base
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing
import Uplinks

/// Connections of a LAN client through a router with one uplink, in namespaces of the test's own.
@Suite(
    "Connections over an uplink", .enabled(if: NetworkNamespace.isAvailable),
    .timeLimit(.minutes(2)), .serialized)
struct FlowTests {
    private struct Network {
        let client: NamespaceHost
        let router: NamespaceHost
        let server: NamespaceHost
        let flows: KernelFlows
    }

    private static let service = "203.0.113.10"

    /// client 192.168.140.10 ─ router ─ server 203.0.113.10, with what the firewall does for its connections.
    private func network() async throws -> Network {
        let client = try NamespaceHost()
        let router = try NamespaceHost()
        let server = try NamespaceHost()
        try await client.connect("eth0", "192.168.140.10/24", to: router, "lan", "192.168.140.1/24")
        try await router.connect("eth0", "10.1.0.2/24", to: server, "isp", "10.1.0.1/24")
        try await server.ip("address add \(Self.service)/32 dev lo")
        try await client.ip("route add default via 192.168.140.1")
        try await router.ip("route add default via 10.1.0.1")
        let rules = """
            table inet firewall {
                chain marks { type filter hook prerouting priority mangle;
                    iifname "lan" meta mark set 0x64620000;
                    iifname "eth0" meta mark set 0x64620000; }
                chain forward { type filter hook forward priority filter;
                    iifname "lan" ct direction original ct mark set 0x64620102;
                    iifname "eth0" ct direction original ct mark set 0x64620103; }
                chain forwards { type nat hook prerouting priority dstnat;
                    iifname "eth0" tcp dport 4001 dnat ip to 192.168.140.10:4001; }
                chain nat { type nat hook postrouting priority srcnat;
                    oifname "eth0" masquerade; }
            }
            """
        let loaded = try await router.run(
            ["/bin/sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; /usr/sbin/nft -f -"],
            input: rules)
        try #require(loaded.exit.isSuccess, "\(loaded.error)")
        let flows = try await router.perform { try KernelFlows() }
        try await flows.install(FlowRules(interfaces: ["eth0", "eth1"], lan: "lan"))
        return Network(client: client, router: router, server: server, flows: flows)
    }

    private struct Pair: Sendable {
        var near: Int32
        var far: Int32
    }

    /// Idle TCP connections from the client to the service: both ends' descriptors.
    private func connect(_ network: Network, _ count: Int) async throws -> [Pair] {
        let listener = try await network.server.perform {
            let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            try #require(
                withSocketAddress(IPv4Address(value: 0), port: 4000) { bind(raw, $0, $1) } == 0)
            try #require(listen(raw, 512) == 0)
            return raw
        }
        defer { close(listener) }
        return try await network.client.perform {
            try (0..<count).map { _ in
                let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                let address = try #require(IPv4Address(Self.service))
                try #require(
                    withSocketAddress(address, port: 4000) { Glibc.connect(raw, $0, $1) } == 0)
                return Pair(near: raw, far: accept(listener, nil, nil))
            }
        }
    }

    /// What a read says at once: nil, nothing yet.
    private func error(of raw: Int32) -> Int32? {
        var byte: UInt8 = 0
        if recv(raw, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 { return 0 }
        return errno == EAGAIN ? nil : errno
    }

    @Test(
        "behaviour 4.7: idle TCP connections over a dead uplink are reset at their clients, at once"
    )
    func resets() async throws {
        let network = try await network()
        let pairs = try await connect(network, 200)
        defer { for pair in pairs { close(pair.near); close(pair.far) } }
        #expect(try await network.flows.forget(uplink: 1, gently: false).resets == 0)
        #expect(pairs.allSatisfy { error(of: $0.near) == nil })
        let begin = SystemClock().now()
        let forgotten = try await network.flows.forget(uplink: 0, gently: false)
        let took = SystemClock().now() - begin
        #expect(forgotten.resets == 200)
        #expect(pairs.allSatisfy { error(of: $0.near) == ECONNRESET })
        #expect(took < .milliseconds(900), "\(took.milliseconds) ms")
        print("200 connections reset in \(took.milliseconds) ms")
    }

    @Test(
        "behaviour 4.7: what runs over an uplink goes on while another one carries, also with `rp_filter`"
    )
    func staysWhenAnotherCarries() async throws {
        let network = try await network()
        let pairs = try await connect(network, 1)
        defer { for pair in pairs { close(pair.near); close(pair.far) } }
        try await letAnotherCarry(network)
        talk(try #require(pairs.first))
    }

    @Test("behaviour 4.7: a forwarded port works over an uplink that does not carry")
    func beginsOnTheWAN() async throws {
        let network = try await network()
        try await letAnotherCarry(network)
        // As a gateway does, it asks by ARP in its own name.
        let announced = try await network.server.run([
            "/bin/sh", "-c", "echo 2 > /proc/sys/net/ipv4/conf/isp/arp_announce",
        ])
        try #require(announced.exit.isSuccess, "\(announced.error)")
        let listener = try await network.client.perform {
            let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            try #require(
                withSocketAddress(IPv4Address(value: 0), port: 4001) { bind(raw, $0, $1) } == 0)
            try #require(listen(raw, 1) == 0)
            return raw
        }
        defer { close(listener) }
        let caller = try await network.server.perform {
            let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var patience = timeval(tv_sec: 2, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
            // Not an address of the uplink's own network: those have a route of their own.
            let own = try #require(IPv4Address(Self.service))
            try #require(withSocketAddress(own, port: 0) { bind(raw, $0, $1) } == 0)
            let router = try #require(IPv4Address("10.1.0.2"))
            let failed = withSocketAddress(router, port: 4001) { Glibc.connect(raw, $0, $1) }
            try #require(failed == 0, "the forwarded port does not answer")
            return raw
        }
        let pair = Pair(near: accept(listener, nil, nil), far: caller)
        defer { close(pair.near); close(pair.far) }
        talk(pair)
    }

    /// A second uplink takes the default route, and the first one's addresses are looked at strictly.
    private func letAnotherCarry(_ network: Network) async throws {
        let router = network.router
        try await router.connect(
            "eth1", "10.2.0.2/24", to: network.server, "isp2", "10.2.0.1/24")
        try await router.ip("route add default via 10.1.0.1 table 1000")
        try await router.ip(
            "rule add pref 9000 fwmark 0x64620100 lookup main suppress_prefixlength 0")
        try await router.ip("rule add pref 9001 fwmark 0x64620100 lookup 1000")
        try await router.ip("route replace default via 10.2.0.1")
        let strict = try await router.run([
            "/bin/sh", "-c",
            "cd /proc/sys/net/ipv4/conf/eth0 && echo 1 > rp_filter && echo 1 > src_valid_mark",
        ])
        try #require(strict.exit.isSuccess, "\(strict.error)")
    }

    /// A byte there, and one back.
    private func talk(_ pair: Pair) {
        var byte: UInt8 = 1
        for (from, to) in [(pair.near, pair.far), (pair.far, pair.near)] {
            #expect(send(from, &byte, 1, 0) == 1)
            var wanted = pollfd(fd: to, events: Int16(POLLIN), revents: 0)
            #expect(poll(&wanted, 1, 1000) == 1, "nothing came through")
            #expect(recv(to, &byte, 1, Int32(MSG_DONTWAIT)) == 1)
        }
    }

    @Test("behaviour 4.3: traffic to public addresses is counted, and its replies")
    func counts() async throws {
        let network = try await network()
        let before = try network.flows.counts(uplinks: 2)
        let pairs = try await connect(network, 5)
        defer { for pair in pairs { close(pair.near); close(pair.far) } }
        let after = try network.flows.counts(uplinks: 2)
        #expect(after[0].packetsOut >= before[0].packetsOut + 10)
        #expect(after[0].packetsIn >= before[0].packetsIn + 5)
        #expect(after[1] == before[1])
        // What is spoken with the next router proves nothing.
        _ = try await network.router.run(["/usr/bin/ping", "-c", "3", "-i", "0.2", "10.1.0.1"])
        #expect(try network.flows.counts(uplinks: 2) == after)
        // Rules installed again keep the counters.
        try await network.flows.install(FlowRules(interfaces: ["eth0", "eth1"]))
        #expect(try network.flows.counts(uplinks: 2) == after)
    }

    @Test("traffic is counted at once, also while connections are being forgotten")
    func countsMeanwhile() async throws {
        let flows = try await network().flows
        async let forgotten: Void = {
            for _ in 0..<10 { _ = try await flows.forget(uplink: 0, gently: true) }
        }()
        let clock = SystemClock()
        let begin = clock.now()
        var longest = Duration.zero
        while clock.now() - begin < .milliseconds(900) {
            let asked = clock.now()
            #expect(try flows.counts(uplinks: 2).count == 2)
            longest = max(longest, clock.now() - asked)
        }
        try await forgotten
        // The kernel's answer that somebody else has read is waited for two seconds.
        #expect(longest < .seconds(1))
    }

    @Test("rules that somebody removed are noticed")
    func removed() async throws {
        let network = try await network()
        try await #require(
            network.router.run(["/usr/sbin/nft", "flush", "ruleset"]).exit.isSuccess)
        #expect(throws: SystemError.self) { try network.flows.counts(uplinks: 2) }
    }

    @Test("behaviour 4.7: an uplink that carries again by then keeps its connections")
    func carriesAgain() async throws {
        let network = try await network()
        let pairs = try await connect(network, 3)
        defer { for pair in pairs { close(pair.near); close(pair.far) } }
        let forgotten = try await network.flows.forget(uplink: 0, gently: false) { false }
        #expect(forgotten.resets == 0)
        #expect(pairs.allSatisfy { error(of: $0.near) == nil })
        #expect(try await connections(in: network) == 3)
    }

    @Test(
        "behaviour 4.7: datagrams that were missed go with the others, unless the uplink carries again",
        arguments: [false, true])
    func missed(carriesAgain: Bool) async throws {
        let network = try await network()
        let kernel = try await network.router.perform { try Conntracker() }
        try kernel.socket.send(Self.entry(1, mark: 0x6462_1102))
        let asked = Atomic(0)
        _ = try await network.flows.forget(uplink: 0, gently: false) {
            let number = asked.add(1, ordering: .relaxed).newValue
            // Between the datagrams and the list of the others.
            if number == 2 {
                #expect(throws: Never.self) {
                    try kernel.socket.send(Self.entry(2, mark: 0x6462_1102))
                }
            }
            return number < 3 || !carriesAgain
        }
        #expect(asked.load(ordering: .relaxed) == 3)
        #expect(try await connections(in: network) == (carriesAgain ? 1 : 0))
    }

    private final class Conntracker: Sendable {
        let socket: NetlinkSocket
        init() throws { socket = try NetlinkSocket(family: 12) }
    }

    private func connections(in network: Network) async throws -> Int? {
        let count = try await network.router.run(
            ["/bin/cat", "/proc/sys/net/netfilter/nf_conntrack_count"])
        return Int(count.output.filter(\.isNumber))
    }

    @Test("50,000 connections of one uplink go by one request, the others stay")
    func manyConnections() async throws {
        let network = try await network()
        try await network.router.perform {
            let socket = try NetlinkSocket(family: 12)
            for number in 0..<50_100 {
                try socket.send(Self.entry(number, mark: number < 100 ? 0x6462_0202 : 0x6462_0102))
            }
        }
        let count = ["/bin/cat", "/proc/sys/net/netfilter/nf_conntrack_count"]
        let before = try await network.router.run(count).output
        let begin = SystemClock().now()
        _ = try await network.flows.forget(uplink: 0, gently: false)
        let alone = SystemClock().now() - begin
        let after = try await network.router.run(count).output
        #expect((Int(before.filter(\.isNumber)) ?? 0) >= 50_100)
        #expect((100..<200).contains(Int(after.filter(\.isNumber)) ?? 0))
        print("50,000 connections forgotten in \(alone.milliseconds) ms")
        #expect(alone < .seconds(1))
    }

    /// `IPCTNL_MSG_CT_NEW` of a UDP connection.
    private static func entry(_ number: Int, mark: UInt32) -> [UInt8] {
        var message = NetlinkMessage()
        message.begin(type: 0x100, flags: 0x401, sequence: 0)
        message.append(bytes: [UInt8(AF_INET), 0, 0, 0])
        let client = IPv4Address(value: 0xac10_0000 + UInt32(number / 60_000))
        let server = IPv4Address(value: 0x0808_0808)
        let port = UInt16(1024 + number % 60_000)
        for (type, from, to, source, target) in [
            (UInt16(1), client, server, port, UInt16(53)), (2, server, client, 53, port),
        ] {
            message.nested(type) { tuple in
                tuple.nested(1) {
                    $0.attribute(1, from.bytes)
                    $0.attribute(2, to.bytes)
                }
                tuple.nested(2) {
                    $0.attribute(1, [UInt8(17)])
                    $0.attribute(2, network: source)
                    $0.attribute(3, network: target)
                }
            }
        }
        message.attribute(3, network: UInt32(0x8))  // CTA_STATUS: confirmed
        message.attribute(7, network: UInt32(600))  // CTA_TIMEOUT
        message.attribute(8, network: mark)
        message.end()
        return message.bytes
    }

    @Test("what comes in is read within its bounds, whatever it is", arguments: 1...50)
    func fuzz(seed: UInt64) {
        var random = SplitMix(state: seed)
        let real = Self.entry(7, mark: 1)
        for _ in 0..<500 {
            var bytes = real
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(
                    in: .min ... .max, using: &random)
            }
            _ = Conntrack.connections(
                in: Array(bytes.prefix(.random(in: 0...bytes.count, using: &random))))
        }
    }
}

extension KernelFlows {
    fileprivate func forget(uplink: Int, gently: Bool) throws -> ForgottenFlows {
        try forget(uplink: uplink, gently: gently) { true }
    }
}
