import Base
import Linux
import Testing

@testable import Site

@Suite(
    "The site's cloud", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(1)))
struct SiteCloudTests {
    /// Publishes from the router, as whoever `identity` names; with its result.
    private func publish(
        _ payload: [UInt8], _ topic: String, as identity: String, _ site: Site
    ) async throws -> Command.Result {
        let file = site.directory.path + "/payload"
        try SmallFile.replace(file, with: payload)
        let pki = site.directory.certificates
        return try await site.run(
            in: .router,
            [
                "mosquitto_pub", "-h", "mqtt.ixon.net", "-p", "443", "-q", "1", "-t", topic, "-f",
                file, "--cafile", "\(pki)/ca.pem",
            ]
                + (identity.isEmpty
                    ? [] : ["--cert", "\(pki)/\(identity).pem", "--key", "\(pki)/\(identity).key"])
        )
    }

    @Test("what the device publishes is counted; a stranger or nobody gets no session")
    func broker() async throws {
        try await Site.with { site in
            try await site.output(
                in: .router, ["ip", "route", "replace", "default", "via", ISP.a.gateway])
            // The daemon's own resolver is not there yet.
            try await site.output(
                in: .router, ["sh", "-c", "echo '203.0.113.10 mqtt.ixon.net' >> /etc/hosts"])
            let birth = SparkplugBytes.payload([
                SparkplugBytes.born("press.reads", alias: 1, datatype: 7, value: 1)
            ])
            let data = SparkplugBytes.payload([
                SparkplugBytes.record(alias: 1, id: 1, value: 1),
                SparkplugBytes.record(alias: 1, id: 2, value: 2),
            ])
            let topic = "spBv1.0/drawbridge"
            for (kind, payload) in [("DBIRTH", birth), ("DDATA", data), ("DDATA", data)] {
                let result = try await publish(
                    payload, "\(topic)/\(kind)/press-line-4/plc-1", as: "device", site)
                #expect(result.exit.isSuccess, "\(result.error)")
            }
            try await site.waitUntil(within: .seconds(5), "three messages at the cloud") {
                await site.cloud.look { $0.messages.values.reduce(0, +) } >= 3
            }
            let tally = await site.cloud.tally
            #expect(tally["plc-1/press.reads"].ids == [1, 2])
            #expect(tally.duplicates == 2)
            for identity in ["stranger", ""] {
                let refused = try await publish(data, "x", as: identity, site)
                #expect(!refused.exit.isSuccess)
            }
        }
    }

    @Test("through the VPN the technician reaches the machine, until the path is cut")
    func vpn() async throws {
        try await Site.with { site in
            try await site.output(
                in: .router, ["ip", "route", "replace", "default", "via", ISP.a.gateway])
            await #expect(throws: SiteError.self) {
                try await site.readMachine(from: .remote)
            }
            let tunnel = try await site.startBackground(
                in: .router, name: "tunnel",
                [
                    "openvpn", "--client", "--nobind", "--dev", "vpn0", "--dev-type", "tun",
                    "--remote", "203.0.113.10", "1194", "udp4",
                    "--ca", "/etc/drawbridge/pki/ca.pem",
                    "--cert", site.directory.certificates + "/session.pem",
                    "--key", site.directory.certificates + "/session.key",
                    "--tls-crypt", "/etc/drawbridge/pki/tls-crypt.key", "--verify-x509-name",
                    "vpn.ixon.net", "name", "--remote-cert-tls", "server", "--disable-dco",
                ])
            try await site.waitUntil(within: .seconds(10), "the machine through the VPN") {
                (try? await site.readMachine(from: .remote)) != nil
            }
            let temperature = try await site.readMachine(from: .remote)
            #expect((100...260).contains(temperature))

            let flow = try await site.startFlow()
            try await site.waitUntil(within: .seconds(5), "datagrams at the machine") {
                try flow.report().arrivals.count > 200
            }
            await tunnel.stop()
            let cut = SystemClock().now()
            try await site.waitUntil(within: .seconds(5), "a sender that goes on") {
                try (flow.report().lastSent ?? .boot) > cut + .milliseconds(200)
            }
            let report = try await flow.stop()
            #expect(report.lastArrival(sentAfter: cut) == nil)
            #expect(report.sentAtLeast > UInt64(report.arrivals.count))
            let numbers = report.arrivals.map(\.number)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
        }
    }
}
