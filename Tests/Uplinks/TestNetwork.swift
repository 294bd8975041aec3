import Base
import Glibc
import Linux
import TestSupport
import Testing
import Uplinks

/// A router with three uplinks, each to an ISP of its own in which the probes' targets live.
///
/// Four network namespaces, held by descriptors only: they end with this object.
final class TestNetwork: Sendable {
    static let interfaces = ["eth0", "wlan0", "wwan0"]

    private let router: FileDescriptor
    private let isps: [Namespace]
    /// The real ports, on sockets inside the router's namespace.
    let routes: KernelRoutes
    let prober: ICMPProber
    /// Nobody watches the traffic until its rules are installed.
    let flows: KernelFlows
    let gateways: KernelGateways

    private final class Namespace: Sendable {
        let descriptor: FileDescriptor

        init() throws {
            let raw = try NetworkNamespace.run { try Self.ofThisThread().release() }
            descriptor = FileDescriptor(owning: raw)
        }

        static func ofThisThread() throws(SystemError) -> FileDescriptor {
            try FileDescriptor(open: "/proc/thread-self/ns/net", flags: O_RDONLY)
        }
    }

    init() async throws {
        let (raw, routes, prober, flows, gateways) = try NetworkNamespace.run {
            let routes = try KernelRoutes()
            let prober = try ICMPProber(uplinks: 3)
            return (
                try Namespace.ofThisThread().release(), routes, prober, try KernelFlows(),
                try KernelGateways()
            )
        }
        self.flows = flows
        self.gateways = gateways
        router = FileDescriptor(owning: raw)
        self.routes = routes
        self.prober = prober
        isps = try (0..<3).map { _ in try Namespace() }
        for number in 0..<3 {
            try await connect(number)
            try await isp(number, "addr add 1.1.1.1/32 dev lo")
            try await isp(number, "addr add 9.9.9.9/32 dev lo")
        }
    }

    /// Makes an uplink's cable, with addresses at both ends.
    func connect(_ number: Int) async throws {
        let name = Self.interfaces[number]
        let isp = "/proc/\(getpid())/fd/\(isps[number].descriptor.raw)"
        try await ip("link add \(name) type veth peer name up\(number) netns \(isp)")
        try await ip("addr add 10.\(number + 1).0.2/24 dev \(name)")
        try await ip("link set \(name) up")
        try await self.isp(number, "addr add 10.\(number + 1).0.1/24 dev up\(number)")
        try await self.isp(number, "link set up\(number) up")
        // The kernel reports a new carrier a little later.
        try await eventually("\(name) has a carrier") {
            try await routes.read().link(named: name)?.hasCarrier == true
        }
    }

    /// Lets an ISP lose everything that is not for itself, or carry it again.
    func blackhole(_ number: Int, _ isOn: Bool) async throws {
        for address in ["1.1.1.1", "9.9.9.9"] {
            try await isp(number, "addr \(isOn ? "del" : "add") \(address)/32 dev lo")
        }
    }

    /// Runs `ip` in the router's namespace; its output.
    @discardableResult
    func ip(_ arguments: String) async throws -> String {
        try await run(router.raw, ["/usr/sbin/ip"] + words(arguments))
    }

    @discardableResult
    func isp(_ number: Int, _ arguments: String) async throws -> String {
        try await run(isps[number].descriptor.raw, ["/usr/sbin/ip"] + words(arguments))
    }

    /// Sets a kernel parameter in the router's namespace.
    func set(_ parameter: String, _ value: String) async throws {
        _ = try await run(
            router.raw, ["/bin/sh", "-c", "echo \(value) > /proc/sys/net/\(parameter)"])
    }

    /// Sends datagrams to a public address where nobody answers, ten a second.
    func sendInVain(for seconds: Int) async throws {
        _ = try await run(
            router.raw,
            [
                "/bin/bash", "-c",
                "for i in {1..\(seconds * 10)}; do echo > /dev/udp/203.0.113.9/9; sleep 0.1; done",
            ])
    }

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private func run(_ namespace: Int32, _ arguments: [String]) async throws -> String {
        let enter = ["/usr/bin/nsenter", "--net=/proc/\(getpid())/fd/\(namespace)"]
        let result = try await Command.run(enter + arguments)
        guard result.exit.isSuccess else {
            throw Failure(description: "\(arguments): \(result.exit) \(result.error)")
        }
        return result.output
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The main table's default routes, one a line.
    func defaults() async throws -> [String] {
        try await ip("route show default").split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
    }

    /// The way out over an uplink.
    func path(_ number: Int) async throws -> UplinkPath {
        try await routes.read().path(
            over: Self.interfaces[number], gateway: IPv4Address("10.\(number + 1).0.1"))
    }
}

/// Waits until something holds; fails after half a minute.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ holds: () async throws -> Bool
) async throws {
    let deadline = SystemClock().now() + .seconds(30)
    while SystemClock().now() < deadline {
        if try await holds() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within half a minute: \(what)", sourceLocation: sourceLocation)
}
