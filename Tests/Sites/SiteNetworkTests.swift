import Base
import Linux
import Testing

@testable import Site

/// The site itself, before there is a daemon in it: what is here stands in for what the daemon will do.
@Suite(
    "The site's network", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(1)))
struct SiteNetworkTests {
    private func useProvider(_ isp: ISP, _ site: Site) async throws {
        try await site.output(
            in: .router, ["ip", "route", "replace", "default", "via", isp.gateway])
    }

    @Test("each provider leads to the internet, and each verb breaks it in its own way")
    func weather() async throws {
        try await Site.with { site in
            for isp in ISP.allCases {
                try await useProvider(isp, site)
                #expect(try await site.ping(from: .router, to: "1.1.1.1"))
                #expect(try await site.ping(from: .router, to: "203.0.113.10"))

                try await site.cutSilently(isp)
                #expect(try await !site.ping(from: .router, to: "1.1.1.1"))
                #expect(try await site.ping(from: .router, to: isp.gateway))
                #expect(try await carrier(isp, site) == "1")
                // The company's own switch is not the provider's: an attacker there is still there.
                #expect(try await site.ping(from: .office, to: "10.1.0.2"))
                try await site.restore(isp)
                #expect(try await site.ping(from: .router, to: "9.9.9.9"))

                try await site.pullCable(isp)
                #expect(try await carrier(isp, site) == "0")
                try await site.restore(isp)
                try await site.waitUntil(within: .seconds(5), "carrier on \(isp)") {
                    try await carrier(isp, site) == "1"
                }
                try await useProvider(isp, site)
                #expect(try await site.ping(from: .router, to: "1.1.1.1"))
            }
        }
    }

    private func carrier(_ isp: ISP, _ site: Site) async throws -> String {
        let path = "/sys/class/net/\(isp.routerInterface)/carrier"
        return try await site.output(in: .router, ["cat", path]).filter { $0.isNumber }
    }

    @Test("loss is a share of the packets; delay works, or says what the kernel lacks")
    func partialFaults() async throws {
        try await Site.with { site in
            try await useProvider(.b, site)
            try await site.addLoss(.b, percent: 50)
            let pings = try await site.run(
                in: .router, ["ping", "-n", "-q", "-c", "200", "-i", "0.005", "-W", "1", "1.1.1.1"])
            let answered = pings.output.split(separator: ",").first { $0.contains("received") }
                .flatMap { Int($0.filter { $0.isNumber }) }
            #expect((50...150).contains(answered ?? 0), "\(pings.output)")
            do {
                try await site.addDelay(.b, .milliseconds(20))
            } catch {
                #expect("\(error)".contains("netem"))
            }
            try await site.restore(.b)
            #expect(try await site.ping(from: .router, to: "1.1.1.1"))
        }
    }

    @Test("names resolve to what the site says they are, and nothing else does")
    func names() async throws {
        try await Site.with { site in
            for (name, address) in [
                ("mqtt.ixon.net", "203.0.113.10"), ("vpn.ixon.net", "203.0.113.10"),
                ("alias.ixon.net", "192.0.2.66"), ("evil.example", "192.0.2.66"),
            ] {
                let answer = try await site.output(in: .office, ["getent", "ahostsv4", name])
                #expect(answer.hasPrefix(address + " "), "\(name)")
            }
            let unknown = try await site.run(in: .office, ["getent", "ahostsv4", "example.org"])
            #expect(!unknown.exit.isSuccess)
            let resolver = try await site.output(in: .router, ["cat", "/etc/resolv.conf"])
            #expect(resolver == "nameserver 127.0.0.1\n")
        }
    }

    @Test("before the daemon, the router is open: an office host reaches the machine")
    func openRouter() async throws {
        try await Site.with { site in
            // The machine's answer needs the router's own connected route only.
            #expect(try await site.ping(from: .office, to: "192.168.140.10"))
            let ports = try await site.output(
                in: .office, ["nmap", "-n", "-Pn", "-p", "502", "192.168.140.10"],
                timeout: .seconds(30))
            #expect(ports.contains("502/tcp open"))
        }
    }
}
