import Base
import Glibc
import Linux
import Logging
import Settings
import TestSupport
import Testing

@testable import Tunnel

@Suite(
    "tunnel: the real OpenVPN", .serialized,
    .enabled(if: NetworkNamespace.isAvailable, "needs root, or `make test`"))
struct TunnelServiceTests {
    /// Runs a test with a host and the service on it; ends both, also when the test fails.
    private func withTunnel(
        server: Bool = true, _ change: (inout Settings.VPN) -> Void = { _ in },
        resolve: @escaping TunnelService.Resolve = { _ in [IPv4Address(value: 0x7f00_0001)] },
        _ body: @escaping @Sendable (TunnelService, VPNHost) async throws -> Void
    ) async throws {
        let host = try await VPNHost()
        do {
            if server { try await host.startServer() }
            var settings = try exampleVPN(pki: host.folder)
            change(&settings)
            let service = TunnelService(
                settings: settings, runDirectory: host.folder, resolve: resolve,
                launcher: await host.launcher,
                device: NamespaceDevice(enter: await host.launcher),
                logger: Logger(label: "tunnel") { _ in SwiftLogNoOpLogHandler() })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await service.run() }
                try await body(service, host)
                let child = await service.status().processID
                group.cancelAll()
                try await group.waitForAll()
                #expect(child.map { kill($0, 0) != 0 } ?? true, "a child is left")
                #expect(access(host.folder + "/vpn.sock", F_OK) != 0, "the socket is left")
            }
        } catch {
            await host.remove()
            throw error
        }
        await host.remove()
    }

    /// Waits, at most 20 seconds, until the status is as wanted.
    @discardableResult
    private func wait(
        for service: TunnelService, _ location: SourceLocation = #_sourceLocation,
        until isWanted: (TunnelStatus) -> Bool
    ) async throws -> TunnelStatus {
        for _ in 0..<1000 {
            let status = await service.status()
            if isWanted(status) { return status }
            try await Task.sleep(for: .milliseconds(20))
        }
        let status = await service.status()
        try #require(Bool(false), "\(status)", sourceLocation: location)
        return status
    }

    @Test("a session is made, takes no routes, moves within the same process, and ends")
    func session() async throws {
        try await withTunnel { service, host in
            #expect(await service.status().state == .forbidden)
            await service.allow()
            let server = IPv4Address(value: 0x7f00_0001)
            let inside = IPv4Address(value: 0x0a08_0002)
            let first = try await wait(for: service) { $0.state == .connected }
            #expect(first.address == inside && first.server == server && first.restarts == 0)

            let socket = try await host.run([
                "/usr/bin/stat", "-c", "%a", host.folder + "/vpn.sock",
            ])
            #expect(socket == "600\n")
            let routes = try await host.run(["/usr/sbin/ip", "route", "show", "table", "all"])
            #expect(routes.contains("10.8.0.0/24 dev vpn0"))
            #expect(!routes.contains("0.0.0.0/1") && !routes.contains("10.99.0.0"), "\(routes)")

            await service.uplinkChanged()
            let moving = await service.status()
            #expect(moving.state == .connecting && moving.reason == "moving to another uplink")
            let second = try await wait(for: service) { $0.state == .connected }
            #expect(second.restarts == 1 && second.processID == first.processID)
            #expect(second.address == inside && second.server == server)

            await service.forbid(reason: "the key is off")
            let last = try await wait(for: service) { $0.state == .forbidden }
            #expect(last.reason == "the key is off" && last.processID == nil)
            let links = try await host.run(["/usr/sbin/ip", "-br", "link"])
            #expect(!links.contains("vpn0"))

            await service.allow()
            try await wait(for: service) { $0.state == .connected }
        }
    }

    @Test("an OpenVPN that is killed is started again, and one that hangs is killed")
    func killed() async throws {
        try await withTunnel { service, _ in
            await service.allow()
            let first = try await wait(for: service) { $0.state == .connected }
            kill(try #require(first.processID), SIGKILL)
            let second = try await wait(for: service) {
                $0.state == .connected && $0.processID != first.processID
            }
            // A stopped process does not take SIGTERM.
            kill(try #require(second.processID), SIGSTOP)
            await service.forbid()
            try await wait(for: service) { $0.state == .forbidden }
        }
    }

    @Test("a server that is not who it says: the reason names the certificate's name")
    func wrongName() async throws {
        try await withTunnel({ $0.verifyName = "vpn.example" }) { service, _ in
            await service.allow()
            let status = try await wait(for: service) { $0.state == .backingOff }
            #expect(
                status.reason == "VERIFY X509NAME ERROR: CN=vpn.ixon.net, must be vpn.example")
        }
    }

    @Test("nobody at the server's port: the reason says so")
    func nobodyThere() async throws {
        try await withTunnel(server: false) { service, _ in
            await service.allow()
            try await wait(for: service) {
                $0.reason == "nothing listens at the server's port" && $0.state == .connecting
            }
        }
    }

    @Test("files that are not there: OpenVPN's own words are the reason")
    func missingFile() async throws {
        try await withTunnel(server: false, { $0.identity.key = "/nonexistent/device.key" }) {
            service, _ in
            await service.allow()
            let status = try await wait(for: service) { $0.state == .backingOff }
            #expect(status.reason.contains("/nonexistent/device.key"), "\(status.reason)")
        }
    }

    @Test("a name that cannot be looked up is tried again")
    func lookupFails() async throws {
        let refusal = SystemError("ask 9.9.9.9", code: ETIMEDOUT)
        try await withTunnel(server: false, resolve: { _ in throw refusal }) { service, _ in
            await service.allow()
            let status = try await wait(for: service) { $0.state == .backingOff }
            #expect(
                status.reason
                    == "cannot look up vpn.ixon.net: cannot ask 9.9.9.9: Connection timed out")
        }
    }
}
