import Base
import Configuration
import Console
import Linux
import Settings

/// The config file where the daemon looks for it, for commands that exchange it.
///
/// What it holds need not be what runs: after a power cut during a trial it still holds what was not confirmed. So
/// "the config before" is never what lies there, but what the daemon says.
struct ConfigurationPlace {
    let file: String
    let socket: String
    /// How long a daemon may not answer, or not look at the file.
    var patience: Duration = .seconds(30)

    private static let look: Duration = .milliseconds(200)

    /// What runs now; nil when no daemon answers for a while.
    func running() async -> RunningConfiguration? {
        let clock = SystemClock()
        let deadline = clock.now() + patience
        repeat {
            if let running = try? await RunningConfiguration(socket: socket) { return running }
            try? await clock.sleep(until: clock.now() + Self.look)
        } while clock.now() < deadline
        return nil
    }

    /// Makes the file what runs for good, as `running` says; nil: it is. Else returns when the daemon has seen it.
    ///
    /// Only then a config that was taken back is tried again.
    func align(with running: RunningConfiguration) async throws -> RunningConfiguration? {
        let wanted = try main(of: running)
        guard (try? SmallFile.read(file)) != wanted else { return nil }
        return try await install(wanted, after: running.answer.reads)
    }

    /// Puts what the daemon runs now back in its place; `before` when it does not answer.
    func putBack(_ before: [UInt8]?) async throws {
        guard let running = await running() else {
            if let before { try ConfigurationHistory.install(before, as: file) }
            return
        }
        _ = try await install(try main(of: running), after: running.answer.reads)
    }

    /// The file's text in what runs.
    func main(of running: RunningConfiguration) throws -> [UInt8] {
        guard let main = running.sources.first(where: { $0.name == file }) else {
            throw ConsoleError(
                "the daemon runs \(running.sources.first?.name ?? "no config file"), not \(file)")
        }
        return main.bytes
    }

    private func install(
        _ bytes: [UInt8], after reads: Int
    ) async throws -> RunningConfiguration {
        let clock = SystemClock()
        try ConfigurationHistory.install(bytes, as: file)
        let deadline = clock.now() + patience
        while clock.now() < deadline {
            try? await clock.sleep(until: clock.now() + Self.look)
            guard let now = try? await RunningConfiguration(socket: socket) else { continue }
            // Fewer than before: it began anew, and has looked since.
            if now.answer.reads > 0, now.answer.reads != reads { return now }
        }
        throw ConsoleError("the daemon has not looked at \(file)")
    }
}
