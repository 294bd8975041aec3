package import Base
import Linux

/// Where the account of the probes' bytes is kept over a restart, and the clock that tells the month.
package struct ProbeAccount: Sendable {
    /// Within the state folder.
    package static let fileName = "/probe-budget"
    /// The file is written so rarely at most, and at the end: flash wears out.
    package static let keepEvery = Duration.seconds(600)

    /// nil: it is not kept.
    package var path: String?
    package var wall: @Sendable () -> WallTime

    package init(
        path: String? = nil, wall: @escaping @Sendable () -> WallTime = { SystemClock().wall() }
    ) {
        self.path = path
        self.wall = wall
    }

    /// What was kept; empty if nothing can be read.
    func read() async -> ProbeLedger {
        guard let path else { return ProbeLedger() }
        return await withCheckedContinuation { continuation in
            BlockingThread.start(name: "probe-budget") {
                let text = try? SmallFile.readText(path, bytesMax: ProbeLedger.fileBytesMax)
                continuation.resume(returning: ProbeLedger(file: text ?? ""))
            }
        }
    }

    /// Replaces the file; returns what went wrong, if anything did.
    func keep(_ ledger: ProbeLedger) async -> SystemError? {
        guard let path else { return nil }
        return await withCheckedContinuation { continuation in
            BlockingThread.start(name: "probe-budget") {
                do throws(SystemError) {
                    try SmallFile.replace(path, with: ledger.file)
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: error)
                }
            }
        }
    }
}
