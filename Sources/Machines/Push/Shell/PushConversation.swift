package import Base
import Linux

/// What is said to one program that pushes, whichever way it came: lines are recorded, and answered once they are
/// on flash.
package struct PushConversation: Sendable {
    /// Returns when the readings are on flash.
    let sink: @Sendable ([Reading]) async throws -> Void
    /// Names of sources that no program may speak for.
    let reserved: @Sendable () -> Set<String>
    /// When a line came.
    let clock: any MonotonicClock
    /// The same by the wall clock, for lines without a time.
    let wall: @Sendable () -> WallTime

    package init(
        sink: @escaping @Sendable ([Reading]) async throws -> Void,
        reserved: @escaping @Sendable () -> Set<String>, clock: any MonotonicClock,
        wall: @escaping @Sendable () -> WallTime
    ) {
        self.sink = sink
        self.reserved = reserved
        self.clock = clock
        self.wall = wall
    }

    /// Goes on until the caller leaves. Nothing is read before what was read is answered: a program that is too
    /// quick waits.
    ///
    /// `name`: the only source that the caller may speak for; nil: any that is not reserved.
    /// `begun`: what it had sent already.
    func go(on caller: UnixStream, as name: String?, begun: [UInt8] = []) async throws {
        var waiting = begun
        while true {
            if let end = waiting.lastIndex(of: 10) {
                try await answer(await record(waiting[..<end], as: name), caller)
                waiting.removeSubrange(...end)
            }
            guard waiting.count <= Limits.pushedLineBytesMax else {
                return try await answer(
                    "error: a line longer than \(Limits.pushedLineBytesMax) bytes\n", caller)
            }
            let chunk = try await caller.read(atMost: Limits.pushedChunkBytes, until: nil)
            // What stands without its newline at the end may be half a line.
            guard !chunk.isEmpty else { return }
            waiting += chunk
        }
    }

    func answer(_ text: String, _ caller: UnixStream) async throws {
        try await caller.write(Array(text.utf8), until: clock.now() + Limits.pushPatience)
    }

    /// The answers to some whole lines.
    private func record(_ lines: ArraySlice<UInt8>, as name: String?) async -> String {
        let (now, wall, reserved) = (clock.now(), wall(), reserved())
        var readings: [Reading] = []
        var answers: [String] = []
        for bytes in lines.split(separator: 10, omittingEmptySubsequences: true) {
            do throws(PushedLine.Refusal) {
                guard let line = try PushedLine.parse(bytes) else { continue }
                if let refusal = refusal(of: line.source, from: name, reserved) {
                    answers.append("error: \(refusal)")
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

    private func refusal(
        of source: String, from name: String?, _ reserved: Set<String>
    ) -> String? {
        guard let name else {
            return reserved.contains(source)
                ? "the source \"\(source)\" belongs to the router" : nil
        }
        return source == name
            ? nil : "you are \"\(name)\" and may not speak for \"\(source)\""
    }
}
