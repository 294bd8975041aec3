import Base
import Glibc
import Linux

/// A cloud whose names have another address every few seconds, with a time to live that is shorter still; what
/// was begun to an old address goes on.
package struct RotatingCloud: Sendable {
    package struct Result: Sendable {
        /// Addresses that the names have had.
        package var addresses = 0
        /// Sessions of the daemon and of long-lived clients, and how often one had to begin anew.
        package var sessions = 0
        package var cut = 0
        /// Short connections by name, and those that failed.
        package var short = 0
        package var failed = 0
    }

    private static let names = ["mqtt.ixon.net", "vpn.ixon.net", "api.ixon.net"]
    /// Clients beside the daemon's own session.
    private static let keepers = 3

    private let site: Site
    private let clock = SystemClock()
    private var hosts: String { site.directory.path + "/rotating.hosts" }

    package init(_ site: Site) { self.site = site }

    /// `period`: how long the names have an address.
    package func run(for duration: Duration, period: Duration = .seconds(5)) async throws -> Result
    {
        try await prepare()
        let name = try await nameServer()
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await site.waitUntil(within: .seconds(30), "the cloud session") {
            (try? await site.status())?.contains("connected to mqtts") ?? false
        }
        var keepers: [Part] = []
        for number in 0..<Self.keepers {
            keepers.append(
                try await site.startBackground(
                    in: .router, name: "keeper",
                    ["mosquitto_sub", "-h", "mqtt.ixon.net", "-p", "443", "-i", "keeper-\(number)"]
                        + ["-k", "5", "-t", "nothing"] + credentials("--cafile", "--cert", "--key"))
            )
        }
        try await site.waitUntil(within: .seconds(20), "the long-lived sessions") {
            try sessions() == 1 + Self.keepers
        }
        let short = try await site.startBackground(
            in: .router, name: "short", ["sh", "-c", shortConnections])

        var result = Result()
        result.sessions = 1 + Self.keepers
        let end = clock.now() + duration
        while clock.now() < end {
            try turn(result.addresses)
            name.send(signal: SIGHUP)
            result.addresses += 1
            try await Task.sleep(for: min(period, max(.zero, end - clock.now())))
        }
        await short.stop()
        result.cut = try sessions() - result.sessions
        for keeper in keepers where !keeper.isRunning { result.cut += 1 }
        let lines = try SmallFile.readText(site.directory.log(short.name)).split(separator: "\n")
        result.short = lines.count { $0 == "ok" || $0 == "failed" }
        result.failed = lines.count { $0 == "failed" }
        return result
    }

    /// The cloud has 126 addresses more, all of which lead to the broker.
    private func prepare() async throws {
        try await site.output(
            in: .cloud, ["ip", "route", "add", "local", "203.0.113.128/25", "dev", "lo"])
        try await site.output(
            in: .cloud, ["nft", "-f", "-"],
            input: """
                table ip rotating {
                    chain prerouting {
                        type nat hook prerouting priority dstnat;
                        ip daddr 203.0.113.128/25 dnat to 203.0.113.10
                    }
                }

                """)
    }

    /// A name server in the place of the site's, with the same names elsewhere every time.
    private func nameServer() async throws -> Part {
        try turn(0)
        for part in site.parts where part.name == "dnsmasq" { await part.stop() }
        let server = try await site.startBackground(
            in: .internet, name: "rotating-dns",
            [
                "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                "--bind-interfaces", "--listen-address=9.9.9.9", "--listen-address=1.1.1.1",
                "--local-ttl=2", "--addn-hosts=\(hosts)",
            ])
        try await server.waitUntilReady(saying: "started, version", within: .seconds(10))
        return server
    }

    private func turn(_ number: Int) throws {
        let address = "203.0.113.\(129 + number % 125)"
        try SmallFile.replace(
            hosts, with: Array("\(address) \(Self.names.joined(separator: " "))\n".utf8),
            mode: 0o644)
    }

    /// One TLS handshake after the other, each to what the name means by then.
    private var shortConnections: String {
        let keys = credentials("-CAfile", "-cert", "-key").joined(separator: " ")
        return """
            while :; do
                if timeout 10 openssl s_client -connect api.ixon.net:443 -verify_return_error \
                    \(keys) < /dev/null > /dev/null 2>&1; then echo ok; else echo failed; fi
                sleep 0.25
            done
            """
    }

    private func credentials(_ options: String...) -> [String] {
        let files = ["ca.pem", "device.pem", "device.key"]
        return zip(options, files).flatMap { [$0, "\(site.directory.devicePKI)/\($1)"] }
    }

    /// Sessions that the broker has seen begin, of the daemon and of the keepers.
    private func sessions() throws -> Int {
        let log = try SmallFile.readText(site.directory.log("mosquitto"), bytesMax: 64 << 20)
        return log.split(separator: "\n").count { line in
            line.contains("New client connected")
                && (line.contains(" as keeper-") || line.contains("-\(Site.deviceName) "))
        }
    }
}
