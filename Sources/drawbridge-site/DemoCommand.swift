import ArgumentParser
import Base
import Linux
import Site

/// `drawbridge-site demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Play the whole story in a fresh site, and hold every promise against a measurement.")

    @Flag(help: "Leave the site running at the end, and say how to look around.")
    var hold = false

    func run() async throws {
        let outcome = Outcome()
        let hold = hold
        var options = SiteOptions()
        options.keep = .onFailure
        let chosen = options
        let finished = try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                let promises = try await Self.play(in: site)
                await outcome.set(promises)
                if hold { try await Self.hold(site) }
            }
        }
        let promises = await outcome.promises
        guard finished || !promises.isEmpty else { throw ExitCode(130) }
        guard !promises.isEmpty, promises.allSatisfy(\.isKept) else { throw ExitCode(1) }
    }

    private static func play(in site: Site) async throws -> [Promise] {
        let commentary = Commentary()
        commentary.opening(
            "The site stands after \(Figure.time(site.startedWithin)): three providers, the internet,",
            "a cloud, an office, a technician at home, a router and a PLC, each in a network",
            "namespace. Logs: \(site.directory.logs)",
            "▶ done to the site  ◀ seen of the router  ✓ promise held  ✗ promise broken")
        let story = Story(site: site) { commentary.say($0) }
        // Also before an error is printed: it shall not stand behind the counters.
        defer { commentary.stopCounting() }
        let promises = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await commentary.count(site, story) }
            defer { group.cancelAll() }
            return try await story.all()
        }
        commentary.stopCounting()
        commentary.summary(promises)
        return promises
    }

    private static func hold(_ site: Site) async throws {
        Output.line("\nThe site goes on.\n\n\(try site.lookAround())")
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    /// What the story gave, kept when the hold is ended with Ctrl-C.
    private actor Outcome {
        var promises: [Promise] = []
        func set(_ promises: [Promise]) { self.promises = promises }
    }
}
