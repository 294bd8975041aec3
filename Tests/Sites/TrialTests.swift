import Base
import Console
import Linux
import Testing

@testable import Site

/// A change of the config that could cut us off, in a whole site (behaviour 5.5).
@Suite(
    "A change on trial", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(3)))
struct TrialTests {
    @Test(
        "behaviour 2.9, 5.5: proven by the cloud session it stays; unproven it goes, and one may confirm by hand"
    )
    func provenOrNot() async throws {
        try await Site.with { try await provenOrNot(in: $0) }
    }

    private func provenOrNot(in site: Site) async throws {
        try await site.startDaemon(config: config(trial: "4s"))
        try await until(site, "the cloud session") { $0.cloud.isConnected }
        #expect(try await !site.ping(from: .plc, to: "10.1.0.66"))

        // The session lives on over the new rules.
        try write(site, config(trial: "4s", lanToWAN: "private"))
        try await until(site, "the change is confirmed") { $0.configuration.number == 2 }
        #expect(try await site.ping(from: .plc, to: "10.1.0.66"))

        // The rules allow all that is needed, but the new name servers answer nothing: only a new session sees it.
        let deaf = config(trial: "4s", lanToWAN: "private")
            .replacing("servers = [\"9.9.9.9\", \"1.1.1.1\"]", with: "servers = [\"192.0.2.66\"]")
            .replacing("\nservers = [\"9.9.9.9\"]", with: "\nservers = [\"192.0.2.66\"]")
        try write(site, deaf)
        try await until(site, "the deaf servers are on trial") {
            $0.configuration.trialSeconds != nil
        }
        let refused = try await until(site, "they are taken back") {
            $0.configuration.refused.first?.contains("not confirmed") ?? false
        }
        #expect(refused.configuration.number == 2)
        #expect(refused.problems.contains { $0.contains("not confirmed") })
        try await until(site, "the cloud session again") { $0.cloud.isConnected }

        // Nobody can prove anything while the broker is silent, but a person on site may know better.
        try site.pauseCloud()
        try write(site, config(trial: "30s"))
        try await until(site, "the change is on trial") { $0.configuration.trialSeconds != nil }
        #expect(try await !site.ping(from: .plc, to: "10.1.0.66"))
        let said = try await site.output(in: .router, [site.programs.daemon, "confirm"])
        #expect(said.contains("config 3 is in force for good"))
        try site.resumeCloud()
        let events = try await site.output(in: .router, [site.programs.daemon, "events"])
        #expect(events.contains("a change is on trial") && events.contains("not confirmed"))
    }

    @Test(
        "behaviour 2.9, 5.5: with the daemon killed the kernel takes it back at the deadline, and the next start stays there"
    )
    func killed() async throws {
        try await Site.with { site in
            try await RollbackBench(site).run(rounds: 1) { round in
                #expect(round.packets > 500)
                // The figure of a quiet machine is in docs/figures/rollback.md.
                #expect(round.deviation > .milliseconds(-150), "\(round)")
                #expect(round.deviation < .milliseconds(150), "\(round)")
                #expect(round.passedLater == 0 && round.isRefused)
            }
        }
    }

    @Test(
        "behaviour 2.5, 3.3: `firewall egress` tells names, open addresses and ports; also without a daemon"
    )
    func egressTable() async throws {
        try await Site.with { site in
            try await site.startDaemon(config: config(trial: "4s"))
            try await until(site, "the cloud session") { $0.cloud.isConnected }
            func table(_ more: [String] = []) async throws -> String {
                try await site.output(
                    in: .router, [site.programs.daemon, "firewall", "egress"] + more)
            }
            let text = try await table()
            #expect(text.contains("mqtt.ixon.net") && text.contains("203.0.113.10 ("))
            let json = try await table(["--json"])
            #expect(json.contains("\"source\":\"daemon\""))
            try await site.killDaemon()
            #expect(try await table(["--json"]).contains("\"source\":\"config\""))
        }
    }

    @Test(
        "behaviour 5.6: `firewall plan` and `apply`: the difference, then kept, or rolled back with the file before"
    )
    func apply() async throws {
        try await Site.with { try await apply(in: $0) }
    }

    private func apply(in site: Site) async throws {
        let daemon = site.programs.daemon
        try await site.startDaemon(config: config(trial: "4s"))
        try await until(site, "the cloud session") { $0.cloud.isConnected }
        let fresh = site.directory.path + "/fresh.toml"
        func drawbridge(_ arguments: [String]) async throws -> Command.Result {
            try await site.run(in: .router, [daemon] + arguments, timeout: .seconds(40))
        }

        try site.directory.write(config(trial: "4s", lanToWAN: "private"), to: fresh)
        let plan = try await drawbridge(["firewall", "plan", fresh]).output
        #expect(plan.contains("opens:   machines to private networks over the uplinks"), "\(plan)")
        #expect(plan.contains("  + ") && plan.contains("masquerade"))
        #expect(plan.contains("on trial for 4s"))
        #expect(try await !site.ping(from: .plc, to: "10.1.0.66"))
        let unasked = try await drawbridge(["apply", fresh])
        #expect(unasked.exit == .status(2), "\(unasked)")
        let kept = try await drawbridge(["apply", "--yes", fresh])
        #expect(kept.exit == .status(0), "\(kept)")
        #expect(kept.output.contains("kept: config 2 is in force"))
        #expect(try await site.ping(from: .plc, to: "10.1.0.66"))
        #expect(try await drawbridge(["apply", "--yes", fresh]).output.contains("nothing changes"))

        try site.directory.write("[device]\nname = 1\n", to: fresh)
        let wrong = try await drawbridge(["apply", "--yes", fresh])
        #expect(wrong.exit == .status(1) && wrong.error.contains("fresh.toml:2:8"), "\(wrong)")

        // Nothing proves it while the cloud is silent.
        try site.pauseCloud()
        try site.directory.write(config(trial: "4s"), to: fresh)
        let back = try await drawbridge(["apply", "--yes", fresh])
        #expect(back.exit == .status(1), "\(back)")
        #expect(back.error.contains("rolled back") && back.error.contains("not confirmed"))
        try site.resumeCloud()
        #expect(
            try SmallFile.readText(site.directory.configurationFile)
                == config(trial: "4s", lanToWAN: "private"))
        try await until(site, "nothing is refused any more") { $0.configuration.refused.isEmpty }
        #expect(try await site.ping(from: .plc, to: "10.1.0.66"))
    }

    // MARK: parts

    private func config(trial: String, lanToWAN: String = "neither") -> String {
        ((try? Site.shippedConfiguration()) ?? "")
            .replacing("\ntrial = \"1m\"", with: "\ntrial = \"\(trial)\"")
            .replacing("\nlan-to-wan = \"neither\"", with: "\nlan-to-wan = \"\(lanToWAN)\"")
    }

    private func write(_ site: Site, _ text: String) throws {
        try site.directory.write(text, to: site.directory.configurationFile)
    }

    @discardableResult
    private func until(
        _ site: Site, _ what: String, _ condition: (StatusDocument) -> Bool
    ) async throws -> StatusDocument {
        var last: StatusDocument?
        try await site.waitUntil(within: .seconds(30), what) {
            guard let text = try? await site.status() else { return false }
            let document = try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
            last = document
            return condition(document)
        }
        return try #require(last)
    }
}
