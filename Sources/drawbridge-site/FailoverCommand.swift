import ArgumentParser
import Base
import Site

/// `drawbridge-site failover`
struct FailoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Break uplinks under a client's stream of 100 datagrams a second, and count.",
        discussion:
            "Prints rows of tables, after the name of the table. Each measurement has a site of its own."
    )

    @Option(
        help: "How often each fault is repeated, 1 to 100; cables are pulled five times as often.")
    var rounds = 20

    @Option(help: "How long each trouble without a failure lasts, in seconds, 10 to 3600.")
    var seconds = 600

    @Option(
        help: ArgumentHelp(
            "Only tables or rows whose names begin so.",
            discussion: "Tables: silent, cable, return, flows, trouble, quality, rivals."))
    var only: [String] = []

    @Option(help: "How many sites stand at once, 1 to 24.")
    var sideBySide = 1

    func validate() throws {
        guard (1...100).contains(rounds), (10...3600).contains(seconds),
            (1...24).contains(sideBySide)
        else {
            throw ValidationError(
                "--rounds takes 1 to 100, --seconds 10 to 3600, --side-by-side 1 to 24")
        }
    }

    /// One measurement, in a site of its own.
    struct Trial: Sendable {
        var table: String
        var name: String
        /// Returns a row of the table.
        var run: @Sendable (Site) async throws -> String
    }

    func run() async throws {
        let all = Self.failures(rounds) + Self.troubles(seconds) + Self.rivals(seconds)
        let chosen = all.filter { trial in
            only.isEmpty
                || only.contains { trial.table.hasPrefix($0) || trial.name.hasPrefix($0) }
        }
        guard !chosen.isEmpty else {
            throw ValidationError("no such row: \(only.joined(separator: ", "))")
        }
        let width = sideBySide
        let finished = try await Interruption.cancelling {
            var failed = false
            for start in stride(from: 0, to: chosen.count, by: width) {
                let wave = Array(chosen[start..<min(start + width, chosen.count)])
                for row in try await Self.play(wave) {
                    failed = failed || row.failed
                    Output.line(row.text)
                }
            }
            if failed { throw ExitCode(1) }
        }
        guard finished else { throw ExitCode(130) }
    }

    /// Builds a site for each, one after the other; only then all begin, so that none is disturbed by the building.
    private static func play(_ wave: [Trial]) async throws -> [(text: String, failed: Bool)] {
        var sites: [Site] = []
        do {
            var options = SiteOptions()
            options.readyWithin = .seconds(60)
            for _ in wave { sites.append(try await Site.start(options)) }
            return try await withThrowingTaskGroup(of: (Int, String, Bool).self) { group in
                for (number, trial) in wave.enumerated() {
                    let site = sites[number]
                    group.addTask {
                        do {
                            let row = try await trial.run(site)
                            await site.stop()
                            Output.progress("failover: \(trial.table): \(row)")
                            return (number, "\(trial.table) | \(row)", false)
                        } catch is CancellationError {
                            throw CancellationError()
                        } catch {
                            await site.stop(failed: true)
                            let logs = site.directory.logs
                            Output.progress("failover: \(trial.name): \(error) (logs: \(logs))")
                            return (number, "\(trial.table) | \(trial.name) | failed |", true)
                        }
                    }
                }
                var rows: [(Int, String, Bool)] = []
                for try await row in group { rows.append(row) }
                return rows.sorted { $0.0 < $1.0 }.map { ($0.1, $0.2) }
            }
        } catch {
            for site in sites { await site.stop() }
            throw error
        }
    }

    /// One decimal, without a needless zero.
    static func text(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
    }

    /// The median, and the worst in brackets.
    static func figures(_ values: [Double], _ unit: String = "") -> String {
        let sorted = values.sorted()
        guard let worst = sorted.last else { return "none" }
        return "\(text(sorted[sorted.count / 2])) (\(text(worst)))\(unit)"
    }
}
