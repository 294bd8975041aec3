package import Base

/// How fast the backlog may flow beside live data: a budget of bytes a second, and a window that shrinks
/// when confirmations take longer.
///
/// Both share one connection, where what was sent first arrives first: live data waits for as much of the
/// backlog as is on its way. The budget alone would not do, as a link can be slower than it; so the window
/// grows while confirmations come within `delayMax` and is halved when they do not, as TCP Vegas and LEDBAT
/// (RFC 6817) do for the same reason.
package struct BacklogPace: Sendable {
    package struct Limits: Equatable, Sendable {
        /// Slower than this, the window shrinks.
        package var delayMax = Duration.milliseconds(250)
        /// Bytes on their way.
        package var windowMin = 4 * 1024
        package var windowMax = 256 * 1024

        package init() {}
    }

    private struct Message: Sendable {
        var bytes: Int
        var sentAt: Instant
    }

    private let limits: Limits
    /// Bytes a second.
    package private(set) var budget: Int
    package private(set) var window: Int
    private var underWay: [UInt64: Message] = [:]
    private var bytesUnderWay = 0
    /// What was sent has used up the budget until then.
    private var paidUntil = Instant.boot
    /// Until the messages sent before are confirmed, their delay says nothing new about the smaller window.
    private var shrunkAt = Instant.boot

    package init(budget: Int, limits: Limits = Limits()) {
        precondition(budget > 0)
        self.budget = budget
        self.limits = limits
        window = limits.windowMin
    }

    /// Another uplink carries: its budget, in bytes a second; what is known of the delay is void.
    package mutating func uplinkChanged(budget: Int) {
        precondition(budget > 0)
        self.budget = budget
        window = limits.windowMin
    }

    /// A connection was made: nothing is on its way.
    package mutating func connected(at now: Instant) {
        underWay = [:]
        bytesUnderWay = 0
        window = limits.windowMin
        paidUntil = now
        shrunkAt = now
    }

    package enum Permission: Equatable, Sendable {
        /// So many bytes at once; the last message may go a little over it.
        case send(bytes: Int)
        case wait(until: Instant)
        /// For a confirmation.
        case waitForConfirmation
    }

    package func permission(at now: Instant) -> Permission {
        let room = window - bytesUnderWay
        guard room > 0 else { return .waitForConfirmation }
        guard paidUntil <= now else { return .wait(until: paidUntil) }
        // A tenth of a second's worth: the smaller the messages, the less live data waits behind one.
        return .send(bytes: min(room, max(limits.windowMin / 4, budget / 10)))
    }

    package mutating func sent(_ id: UInt64, bytes: Int, at now: Instant) {
        underWay[id] = Message(bytes: bytes, sentAt: now)
        bytesUnderWay += bytes
        paidUntil =
            max(paidUntil, now)
            + .nanoseconds(Int64(Double(bytes) / Double(budget) * 1e9))
    }

    /// A confirmation came; of a message that is none of the backlog's, nothing happens.
    package mutating func confirmed(_ id: UInt64, at now: Instant) {
        guard let message = underWay.removeValue(forKey: id) else { return }
        bytesUnderWay -= message.bytes
        if now - message.sentAt <= limits.delayMax {
            window = min(limits.windowMax, window + message.bytes)
        } else if message.sentAt >= shrunkAt {
            window = max(limits.windowMin, window / 2)
            shrunkAt = now
        }
    }
}
