import Base
import Console
import Linux
import Testing

@testable import Site

/// The status page, the event log and the support bundle in a whole site.
@Suite(
    "Page, events and bundle", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(3)))
struct PageTests {
    private static func config() throws -> String {
        try Site.shippedConfiguration().replacing(
            "#listen = \"192.168.140.1:80\"", with: "listen = \"192.168.140.1:80\"")
    }

    private func start(_ site: Site, config: String) async throws -> Story {
        let story = Story(site: site)
        try await site.startDaemon(config: config)
        try await story.waitUntil("cloud, VPN and all uplinks") {
            $0.isCloudConnected && $0.isTunnelConnected && $0.status.uplinks.allSatisfy(\.isUp)
        }
        return story
    }

    /// What a web server answers, headers and body; nil: nothing.
    private func get(
        _ url: String, from place: Place, _ site: Site, _ more: [String] = []
    ) async throws -> String? {
        let result = try await site.run(
            in: place, ["curl", "-s", "-i", "-m", "2"] + more + [url])
        return result.exit.isSuccess ? result.output : nil
    }

    @Test("behaviour 2.2: the page answers the LAN; WAN and VPN get nothing")
    func whoMaySee() async throws {
        try await Site.with { site in
            _ = try await start(site, config: Self.config())
            let url = "http://192.168.140.1/"
            let page = try #require(try await get(url, from: .plc, site))
            #expect(page.hasPrefix("HTTP/1.1 200"))
            for words in [
                "press-line-4", "Remote access open", "Content-Security-Policy: default-src 'none'",
                "Refresh: 10", "<main id=\"main\">",
            ] { #expect(page.contains(words), "\(words)") }
            for words in ["<script", "Set-Cookie", "http://", "https://"] {
                #expect(!page.contains(words), "\(words)")
            }
            let metrics = try #require(try await get(url + "metrics", from: .plc, site))
            #expect(metrics.contains("drawbridge_cloud_connected 1"))
            let still = try #require(try await get(url + "still", from: .plc, site))
            #expect(!still.contains("Refresh:"))
            #expect(try await get(url + "etc/passwd", from: .plc, site)?.contains(" 404 ") == true)
            #expect(
                try await get(url, from: .plc, site, ["-d", "x=1"])?.contains(" 200 ") != true)
            // The technician behind the VPN reaches the PLC, and so would reach the page.
            let temperature = try await site.readMachine(from: .remote)
            #expect(temperature > 0)
            for other in ["192.168.140.1", "10.8.0.10"] {
                #expect(try await get("http://\(other)/", from: .remote, site) == nil)
            }
            for other in ["192.168.140.1", "10.1.0.2"] {
                #expect(try await get("http://\(other)/", from: .office, site) == nil)
            }
        }
    }

    @Test("a flood is refused with 429, idle connections end, and the page answers again")
    func flood() async throws {
        try await Site.with { site in
            _ = try await start(site, config: Self.config())
            let flood = try await site.run(
                in: .plc,
                [
                    "sh", "-c",
                    "for i in $(seq 60); do curl -s -m 2 -o /dev/null -w '%{http_code} ' http://192.168.140.1/; done",
                ], timeout: .seconds(60))
            let codes = flood.output.split(separator: " ")
            #expect(codes.count == 60)
            #expect(codes.contains("429") && codes.contains("200"))
            // Twenty connections that say nothing: no more than six of one address are held.
            let idle = try await site.startBackground(
                in: .plc, name: "idle",
                [
                    "python3", "-c",
                    """
                    import socket, time
                    all = [socket.create_connection(("192.168.140.1", 80), 2) for _ in range(20)]
                    time.sleep(30)
                    """,
                ])
            try await Task.sleep(for: .seconds(8))
            let page = try await get("http://192.168.140.1/", from: .plc, site)
            #expect(page?.hasPrefix("HTTP/1.1 200") == true)
            await idle.stop()
        }
    }

    @Test("without [page] listen nothing listens")
    func off() async throws {
        try await Site.with { site in
            _ = try await start(site, config: Site.shippedConfiguration())
            #expect(try await get("http://192.168.140.1/", from: .plc, site) == nil)
            let sockets = try await site.output(in: .router, ["ss", "-Hltn"])
            #expect(!sockets.contains(":80 "))
        }
    }

    @Test(
        "a failover, a turn of the key, an attacker and a restart stand in the event log, chained")
    func events() async throws {
        try await Site.with { site in
            let story = try await start(site, config: Self.config())
            try await site.pullCable(.a)
            try await story.waitUntil("another uplink") { $0.carrying == "wifi" }
            try await site.turnSwitch(.off)
            try await story.waitUntil("the key is off") { $0.status.keySwitch?.position == .off }
            _ = try await site.run(in: .office, ["ping", "-c", "1", "-W", "1", "10.1.0.2"])
            try await Task.sleep(for: .milliseconds(2500))
            try await site.stopDaemon()
            let events = try await site.output(in: .router, [site.programs.daemon, "events"])
            for words in [
                "start     drawbridge: version", "is in force, SHA-256", "office is down:",
                "wifi carries the traffic, instead of office",
                "key switch: turned off: remote access is closed", "vpn       server 203.0.113.10",
                "stop      drawbridge: in good order",
            ] { #expect(events.contains(words), "\(words) in:\n\(events)") }
            let verdict = try await site.output(
                in: .router, [site.programs.daemon, "events", "verify"])
            #expect(verdict.contains("event log: whole, entries 1 to"))
            let file = site.directory.state + "/events/events-000000000001.jsonl"
            let text = try SmallFile.readText(file)
            try SmallFile.replace(
                file, with: Array(text.replacing("turned off", with: "turned on").utf8))
            let forged = try await site.run(
                in: .router, [site.programs.daemon, "events", "verify"])
            #expect(forged.exit == .status(1))
            #expect(forged.error.contains("was changed"))
        }
    }

    @Test("the support bundle tells much, and none of the secrets that were planted")
    func bundle() async throws {
        try await Site.with { site in
            let planted =
                try Self.config() + """

                    # vpn password: Planted-1
                    # broker = "mqtts://user:Planted-2@mqtt.ixon.net:443"
                    # token = "Planted-3"
                    # Authorization: Bearer Planted-4.abcdef
                    # pin = 4711-Planted-5

                    """
            let story = try await start(site, config: planted)
            _ = story
            let output = site.directory.path + "/bundle.tar"
            try await site.output(
                in: .router, [site.programs.daemon, "support-bundle", "--output", output],
                timeout: .seconds(90))
            let names = try await site.output(in: .router, ["tar", "-tf", output])
            for name in [
                "status.json", "doctor.txt", "events.jsonl", "config/drawbridge.toml",
                "firewall.nft", "versions.txt", "routes.txt",
            ] { #expect(names.contains("drawbridge-support/\(name)\n"), "\(name) in \(names)") }
            let text = try await site.output(in: .router, ["tar", "-xOf", output])
            #expect(!text.contains("Planted"))
            #expect(!text.contains("PRIVATE KEY"))
            #expect(text.contains("chain forward"))
            #expect(text.contains("name = \"press-line-4\""))
            let mode = try await site.output(in: .router, ["stat", "-c", "%a", output])
            #expect(mode == "600\n")
        }
    }
}
