import Base
import Glibc
import Linux

/// What the same router costs when it is put together from Debian's packages.
package struct RivalFootprint: Sendable {
    package var processes: [ProcessCost]
    /// From the first program's start to the first reading in the cloud.
    package var firstReading: Duration
    /// Readings in the cloud per second, at the end.
    package var readingsPerSecond: Double
}

extension Site {
    /// What is missing on this machine for it; empty: nothing.
    package static func rivalObstacles() -> [String] {
        ["lsm", "collectd", "mosquitto", "dnsmasq", "openvpn"].filter { name in
            !["/usr/bin", "/usr/sbin"].contains { access("\($0)/\(name)", X_OK) == 0 }
        }
    }

    /// Lets the rival's programs work for `period` in the router, where no daemon may have run.
    package func measureRival(period: Duration) async throws -> RivalFootprint {
        let rival = RivalConfiguration(directory: directory)
        try Directory.make(rival.folder)
        for file in rival.files { try directory.write(file.text + "\n", to: rival.path(file.name)) }
        chmod(rival.path("moved"), 0o755)
        try await output(in: .router, ["sh", "-eu"], input: rival.routes)
        try await output(in: .router, ["nft", "-f", rival.path("firewall.nft")])

        let begun = SystemClock().now()
        var parts: [Part] = []
        for command in [
            rival.dnsmasq,
            ["lsm", "-f", "-c", rival.path("lsm.conf")],
            ["mosquitto", "-c", rival.path("mosquitto.conf")],
            ["collectd", "-f", "-C", rival.path("collectd.conf")],
            ["openvpn", "--config", rival.path("openvpn.conf")],
        ] {
            parts.append(try startBackground(in: .router, name: "rival-\(command[0])", command))
        }
        _ = try await output(in: .cloud, listener(["-C", "1"]), timeout: .seconds(60))
        let firstReading = SystemClock().now() - begun
        try await waitUntil(within: .seconds(30), "the rival's VPN") {
            try await run(in: .router, ["ip", "addr", "show", "vpn0"]).output.contains("10.8.0.10")
        }

        try await Task.sleep(for: min(.seconds(60), period / 10))
        let since = SystemClock().now()
        let early = try parts.map { part in
            guard let process = part.processID else {
                throw SiteError("\(part.name) has ended: \(directory.tail(part.name))")
            }
            return (process, try ProcessCost.processorTime(of: process))
        }
        try await Task.sleep(for: begun + period - SystemClock().now())
        let watched = SystemClock().now() - since
        let processes = try early.map {
            try ProcessCost(of: $0.0, since: $0.1, over: watched)
        }
        let heard = try await run(
            in: .cloud, listener(["-W", "10"]), timeout: .seconds(20)
        ).output.split(separator: "\n")
        for part in parts { await part.stop() }
        return RivalFootprint(
            processes: processes, firstReading: firstReading,
            readingsPerSecond: Double(heard.count) / 10)
    }

    private nonisolated func listener(_ more: [String]) -> [String] {
        let pki = directory.certificates
        return [
            "mosquitto_sub", "-h", "mqtt.ixon.net", "-p", "443", "-t", "rival/#", "-q", "1", "-F",
            "%t", "--cafile", "\(pki)/ca.pem", "--cert", "\(pki)/watcher.pem", "--key",
            "\(pki)/watcher.key", "-i", "rival-listener",
        ] + more
    }
}
