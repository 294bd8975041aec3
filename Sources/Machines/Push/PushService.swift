package import Base
import Linux
package import Logging
import Synchronization

/// Takes what other programs of the router push, line by line, and answers each line once it is on flash.
///
/// One answer a line, in order: `ok`, or `error: ` and why. Empty lines and comments have none. A program that sees no
/// answer sends again: then a line may be recorded twice, but none is lost.
package final class PushService: Sendable {
    private let path: String
    private let sink: @Sendable ([Reading]) async throws -> Void
    private let reserved: @Sendable () -> Set<String>
    private let clock: any MonotonicClock
    private let wall: @Sendable () -> WallTime
    private let logger: Logger
    private let callers = Atomic<Int>(0)

    /// - Parameters:
    ///   - path: The unix socket.
    ///   - sink: Returns when the readings are on flash.
    ///   - reserved: Names of sources that no program may speak for.
    ///   - clock: When a line came.
    ///   - wall: The same by the wall clock, for lines without a time.
    ///   - logger: Hears where it listens, and what cannot be accepted.
    package init(
        path: String, sink: @escaping @Sendable ([Reading]) async throws -> Void,
        reserved: @escaping @Sendable () -> Set<String>, clock: any MonotonicClock,
        wall: @escaping @Sendable () -> WallTime, logger: Logger
    ) {
        self.path = path
        self.sink = sink
        self.reserved = reserved
        self.clock = clock
        self.wall = wall
        self.logger = logger
    }

    /// Listens until cancelled; throws when the socket cannot be made.
    package func run() async throws {
        let listener = try UnixListener(path)
        logger.notice("push listening", metadata: ["path": "\(path)"])
        await listener.serve(
            failed: { logger.warning("push cannot accept", metadata: ["error": "\($0)"]) }
        ) { await self.serve($0) }
    }

    private func serve(_ caller: UnixStream) async {
        let count = callers.add(1, ordering: .relaxed).newValue
        defer { callers.subtract(1, ordering: .relaxed) }
        do {
            guard count <= Limits.pushConnectionsMax else {
                return try await answer(
                    "error: too many programs, at most \(Limits.pushConnectionsMax)\n", caller)
            }
            try await converse(caller)
        } catch {
            // It left, or takes no answers: that is its own affair.
            logger.debug("push caller gone", metadata: ["error": "\(error)"])
        }
    }

    /// Nothing is read before what was read is answered: a program that is too quick waits.
    private func converse(_ caller: UnixStream) async throws {
        var waiting: [UInt8] = []
        while true {
            let chunk = try await caller.read(atMost: Limits.pushedChunkBytes, until: nil)
            // What stands without its newline at the end may be half a line.
            guard !chunk.isEmpty else { return }
            waiting += chunk
            guard let end = waiting.lastIndex(of: 10) else {
                guard waiting.count <= Limits.pushedLineBytesMax else {
                    return try await answer(
                        "error: a line longer than \(Limits.pushedLineBytesMax) bytes\n", caller)
                }
                continue
            }
            try await answer(await record(waiting[..<end]), caller)
            waiting.removeSubrange(...end)
        }
    }

    private func answer(_ text: String, _ caller: UnixStream) async throws {
        try await caller.write(Array(text.utf8), until: clock.now() + Limits.pushPatience)
    }

    /// The answers to some whole lines.
    private func record(_ lines: ArraySlice<UInt8>) async -> String {
        let (now, wall, reserved) = (clock.now(), wall(), reserved())
        var readings: [Reading] = []
        var answers: [String] = []
        for bytes in lines.split(separator: 10, omittingEmptySubsequences: true) {
            do throws(PushedLine.Refusal) {
                guard let line = try PushedLine.parse(bytes) else { continue }
                guard !reserved.contains(line.source) else {
                    answers.append("error: the source \"\(line.source)\" belongs to the router")
                    continue
                }
                let time = Timestamp(monotonic: now, wall: line.wall ?? wall)
                readings += line.values.map {
                    Reading(
                        source: line.source, tag: $0.tag, value: $0.value, time: time,
                        isTimedBySource: line.wall != nil)
                }
                answers.append("ok")
            } catch {
                answers.append("error: \(error)")
            }
        }
        if !readings.isEmpty {
            do {
                try await sink(readings)
            } catch {
                answers = answers.map { $0 == "ok" ? "error: not on flash: \(error)" : $0 }
            }
        }
        return answers.map { $0 + "\n" }.joined()
    }
}
