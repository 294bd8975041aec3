import Base
import Console
import Synchronization

/// Notes in the event log what became of USB sticks, as `drawbridge stick apply` tells it.
///
/// Whoever puts in sticks all night must not push everything else out of the log.
final class StickDesk: Sendable {
    private enum Limits {
        static let eventsMax = 20
        static let window = Duration.seconds(600)
    }

    private struct Count {
        var begun: Instant?
        var noted = 0
    }
    private let count = Mutex(Count())

    func answer(
        _ request: ConsoleRequest, at now: Instant, _ events: EventLogService
    ) async -> ConsoleReply {
        guard request.userID == 0 else {
            return ConsoleReply(error: "only root tells of sticks")
        }
        guard let who = request.arguments?["who"], let what = request.arguments?["what"] else {
            return ConsoleReply(error: "a stick's news has who and what")
        }
        let place = count.withLock { count in
            if let begun = count.begun, now < begun + Limits.window {
                count.noted += 1
            } else {
                count = Count(begun: now, noted: 1)
            }
            return count.noted
        }
        guard place <= Limits.eventsMax else {
            return ConsoleReply(error: "too many events of sticks: this one is not noted")
        }
        let last = place == Limits.eventsMax ? " (more within ten minutes are not noted)" : ""
        await events.record([Event(.config, who: who, what + last)])
        return ConsoleReply(text: "noted")
    }
}
