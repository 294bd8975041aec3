import Base
import Glibc
package import Linux

/// A long-lived program of the site: a real part from Debian, or one of ours.
package final class Part: Sendable {
    package let name: String
    /// The process that entered the site's namespaces and waits for the program.
    let entry: ChildProcess
    private let directory: SiteDirectory

    init(
        _ name: String, in place: Place?, of holder: Holder, _ arguments: [String],
        output: ChildProcess.Stream? = nil, directory: SiteDirectory
    ) throws {
        self.name = name
        self.directory = directory
        let log = ChildProcess.Stream.file(directory.log(name))
        entry = try ChildProcess(
            holder.entering(place, arguments), output: output ?? log, error: log)
    }

    /// The program itself, as this machine numbers it; nil when it has ended or not yet begun.
    ///
    /// It stays this process's number for as long as `entry` lives, which has not reaped it.
    package var processID: Int32? { Holder.onlyChild(of: entry.processID) }

    /// Whether the program runs, or is about to.
    package var isRunning: Bool { kill(entry.processID, 0) == 0 }

    /// Waits until the program has a process of its own, to be signalled.
    func waitUntilBegun(within limit: Duration) async throws {
        try await waitUntilReady(within: limit) { [self] in processID != nil }
    }

    /// Sends a signal to the program itself; does nothing when it has ended.
    package func send(signal: Int32) {
        guard let processID else { return }
        kill(processID, signal)
    }

    /// Continues a stopped program. `nsenter` stops itself along with it, and so must go on, too.
    package func resume() {
        send(signal: SIGCONT)
        entry.send(signal: SIGCONT)
    }

    /// Ends the program: SIGTERM, and SIGKILL when it has not ended after `grace`.
    @discardableResult
    package func stop(grace: Duration = .seconds(5)) async -> ChildProcess.Exit {
        send(signal: SIGTERM)
        let killer = Task.detached {
            try await Task.sleep(for: grace)
            self.send(signal: SIGKILL)
        }
        defer { killer.cancel() }
        return await entry.waitForExit()
    }

    /// Waits until the program's log says `text`.
    func waitUntilReady(saying text: String, within limit: Duration) async throws {
        try await waitUntilReady(within: limit) { [self] in
            ((try? SmallFile.readText(directory.log(name), bytesMax: 16 << 20)) ?? "")
                .contains(text)
        }
    }

    /// Waits until the program is ready; says what its log says when it is not in time, or has ended.
    func waitUntilReady(
        within limit: Duration, _ isReady: @escaping @Sendable () async throws -> Bool
    ) async throws {
        let deadline = SystemClock().now() + limit
        while try await !isReady() {
            let isLate = SystemClock().now() >= deadline
            if isLate || !isRunning {
                throw SiteError(
                    "\(name) \(isLate ? "was not ready within \(DurationText.format(limit))" : "ended")"
                        + ": \(directory.tail(name)) (\(directory.log(name)))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
