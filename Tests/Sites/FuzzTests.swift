import Base
import Linux
import Testing

@testable import Site

/// Packets that nobody should let pass, from the office host and from the machine (§2.2, §2.3).
@Suite(
    "Fuzz", .enabled(if: Programs.obstacles().isEmpty), .serialized, .timeLimit(.minutes(2)))
struct FuzzTests {
    private func expectNothing(_ round: FuzzRound) {
        #expect(round.crossed == 0, "\(round.findings)")
        #expect(round.answered == 0, "\(round.findings)")
        #expect(round.arrived > round.sent / 2, "too little has arrived: \(round)")
    }

    @Test(
        "behaviour 2.2, 2.3: nothing crosses and nothing is answered; neither while it is killed, nor flushed"
    )
    func closed() async throws {
        try await Site.with { site in try await Self.play(site, self) }
    }

    private static func play(_ site: Site, _ test: FuzzTests) async throws {
        // Without the daemon the site's router forwards: the watchers see what crosses.
        let open = try await site.fuzz(count: 1000, seed: 7)
        #expect(open.crossed > 20 && open.answered > 20, "the watchers see nothing: \(open)")
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await site.waitUntil(within: .seconds(15), "the daemon's rules") {
            try await site.run(in: .router, ["nft", "list", "table", "inet", "drawbridge"]).exit
                .isSuccess
        }
        test.expectNothing(try await site.fuzz(count: 15_000, seed: 11))
        test.expectNothing(
            try await site.fuzz(count: 10_000, seed: 13) {
                for _ in 0..<3 {
                    try await site.killDaemon()
                    try await site.startDaemon()
                    try await Task.sleep(for: .milliseconds(300))
                }
            })
        // Nobody there to put it back.
        try await site.killDaemon()
        try await site.output(in: .router, ["nft", "flush", "ruleset"])
        let flushed = try await site.fuzz(count: 5000, seed: 17)
        #expect(flushed.crossed == 0, "\(flushed.findings)")
        // What nothing but rules can close: TCP to a port without a listener is reset (§2.3).
        // What IPv6 there is, the LAN's port says by itself.
        #expect(
            flushed.kinds.keys.allSatisfy { ["tcp-reset", "ipv6"].contains($0) },
            "\(flushed.kinds)")
    }

    @Test(
        "behaviour 2.2: before the daemon starts the boot unit's rules let nothing pass or be answered"
    )
    func boot() async throws {
        try await Site.with { site in
            try await site.loadBootRules()
            expectNothing(try await site.fuzz(count: 5000, seed: 19))
        }
    }

    @Test("behaviour 2.2: all 65,535 TCP and UDP ports scanned from the WAN, and no answer")
    func scan() async throws {
        try await Site.with { site in
            #expect(try await site.scan().answered > 60_000)
            try await site.startDaemon(config: Site.shippedConfiguration())
            try await site.waitForRules()
            let closed = try await site.scan()
            #expect(closed.answered == 0, "\(closed.kinds)")
            #expect(closed.arrived > 120_000)
        }
    }

    @Test(
        "behaviour 2.1: 60 exchanges of the rules under a flood, nothing leaks and nothing is lost")
    func reloads() async throws {
        try await Site.with { site in
            let result = try await ReloadBench(site).run(.drawbridge, count: 60)
            #expect(result.deniedSent > 10_000 && result.allowed > 500)
            #expect(result.leaked == 0 && result.lost == 0, "\(result)")
        }
    }

    @Test(
        "behaviour 2.5, 3.3: a cloud that moves every second cuts no session, and can be reached anew"
    )
    func rotating() async throws {
        try await Site.with { site in
            let result = try await RotatingCloud(site).run(for: .seconds(10), period: .seconds(1))
            #expect(result.cut == 0 && result.failed == 0, "\(result)")
            #expect(result.short > 5 && result.addresses >= 5)
        }
    }
}
