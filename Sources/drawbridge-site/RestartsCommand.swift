import ArgumentParser
import Base
import Linux
import Site

/// `drawbridge-site restarts`
struct RestartsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restarts",
        abstract: "Restart and exchange the daemon with the key off, and count what passes.")

    @Option(help: "How often it is restarted.")
    var count = 200

    @Option(help: "Which way and when: the same seed, the same choice.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count is 1…10000") }
    }

    func run() async throws {
        // A folder that nobody else can have prepared.
        let folder = try await Command.run(
            ["/bin/mktemp", "-d", "/tmp/drawbridge-restarts.XXXXXX"]
        ).output.filter { $0 != "\n" }
        guard !folder.isEmpty else { throw SiteError("cannot make a folder in /tmp") }
        let finished: Bool
        do {
            finished = try await restart(in: folder)
        } catch {
            _ = try await Command.run(["/bin/rm", "-rf", folder])
            throw error
        }
        _ = try await Command.run(["/bin/rm", "-rf", folder])
        guard finished else { throw ExitCode(130) }
    }

    /// Returns false when it was interrupted.
    private func restart(in folder: String) async throws -> Bool {
        let (count, seed) = (count, seed)
        var options = SiteOptions()
        options.keySwitch = .off
        options.keep = .onFailure
        var programs = try Programs.besideThisExecutable()
        let original = programs.daemon
        let copy = folder + "/drawbridge"
        programs.daemon = copy
        options.programs = programs
        let upgrade: @Sendable () async throws -> Void = {
            // As a package manager does it: a new file takes the name.
            for command in [
                ["/bin/cp", original, copy + ".new"], ["/bin/mv", copy + ".new", copy],
            ] {
                guard try await Command.run(command).exit.isSuccess else {
                    throw SiteError("cannot copy \(original) to \(copy)")
                }
            }
        }
        try await upgrade()
        let chosen = options
        return try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                let result = try await RestartBench(site).run(
                    restarts: count, seed: seed, upgrade: upgrade)
                Output.line("| direction | restarts | packets sent | packets that passed |")
                Output.line("|---|---|---|---|")
                for (way, sent, passed) in [
                    ("VPN → LAN", result.sentInward, result.passedInward),
                    ("LAN → VPN", result.sentOutward, result.passedOutward),
                ] {
                    Output.line(
                        "| \(way) | \(result.restarts) | \(Figure.count(sent)) | \(passed) |")
                }
                Output.line("")
                Output.line(
                    "The key on again: packets pass both ways after \(Figure.time(result.openAgain))."
                )
            }
        }
    }
}
