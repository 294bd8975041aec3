import Base
import Glibc
import Synchronization

/// One attempt to connect and, if it succeeds, one MQTT session: used once, never reconnected.
///
/// A thread of its own drives the library, because name resolution blocks. Everything that happens is
/// left in a mailbox; `wakeUps` says when to look into it.
package final class MQTTConnection: Sendable {
    package enum Event: Equatable, Sendable {
        case connected
        /// The broker confirmed the message that was published with this number.
        case acknowledged(UInt64)
        case received(MQTTMessage)
        /// The broker does not let us have these.
        case notSubscribed(String)
        /// The last event: nil if `close` asked for it.
        case closed(MQTTTrouble?)
    }

    private struct State {
        var events: [Event] = []
        var received = 0
        var lost: UInt64 = 0
        var outbox: [(id: UInt64, message: MQTTMessage)] = []
        var closing: Closing?
        var hasEnded = false
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private enum Closing {
        /// At once, without a word: the broker speaks our will.
        case abort
        /// The last word, its confirmation, DISCONNECT.
        case farewell(MQTTMessage?)
    }

    package let options: MQTTOptions
    /// One element whenever there are events; several events may share one.
    package let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let state = Mutex(State())
    /// Wakes the thread.
    private let bell = Doorbell()

    /// How long an orderly end may take.
    package static let farewellMax = Duration.seconds(1)

    /// Starts to connect.
    package init(_ options: MQTTOptions) throws(SystemError) {
        self.options = options
        (wakeUps, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        BlockingThread.start(name: "mqtt") { self.run() }
    }

    /// Everything that has happened since the last call.
    package func takeEvents() -> [Event] {
        state.withLock { state in
            defer {
                state.events = []
                state.received = 0
            }
            return state.events
        }
    }

    /// Messages that came and were dropped since the last call: too long, or too many waited to be taken.
    package func takeLost() -> UInt64 {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }

    /// Hands over a message for QoS 1 delivery; its confirmation will carry `id`. The caller bounds how
    /// many wait. Nothing happens when the connection has ended.
    package func publish(_ message: MQTTMessage, id: UInt64) {
        state.withLock { state in
            if !state.hasEnded { state.outbox.append((id, message)) }
        }
        bell.ring()
    }

    /// Ends the connection in order: `lastWord` is published first, and the broker forgets our will.
    package func close(lastWord: MQTTMessage?) {
        state.withLock { $0.closing = .farewell(lastWord) }
        bell.ring()
    }

    /// Ends the connection at once: the broker speaks our will.
    package func abort() {
        state.withLock { $0.closing = .abort }
        bell.ring()
    }

    /// Whether the thread is done.
    package var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Returns when the thread is done, also when the calling task is cancelled.
    ///
    /// While a name is being resolved that may take as long as the resolver likes.
    package func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                if !state.hasEnded { state.endWaiters.append(continuation) }
                return state.hasEnded
            }
            if ended { continuation.resume() }
        }
    }

    // MARK: the thread

    private func run() {
        var trouble: MQTTTrouble?
        do throws(MQTTTrouble) {
            try drive()
        } catch {
            trouble = error
        }
        let waiters = state.withLock { state in
            state.hasEnded = true
            state.outbox = []
            state.events.append(.closed(trouble))
            return state.endWaiters
        }
        wake.yield()
        wake.finish()
        for waiter in waiters { waiter.resume() }
    }

    private func drive() throws(MQTTTrouble) {
        try options.checkFiles()
        let library = try Mosquitto(options)
        try library.configure(options)
        try library.connect(options)
        var session = MQTTSession(connectBy: SystemClock().now() + options.connectTimeout)
        try session.checkProgress(library.socket, options)
        while true {
            if state.withLock({ if case .abort = $0.closing { true } else { false } }) { return }
            wait(library, session)
            try session.checkProgress(library.socket, options)
            do throws(MQTTTrouble) {
                try library.work(options)
            } catch {
                // The same reading may have brought confirmations before the end.
                post(library.mailbox, &session, isNew: false)
                throw error
            }
            let isNew = !session.isAccepted && library.mailbox.connack == 0
            if isNew { session.isAccepted = true }
            if isNew {
                for filter in options.subscriptions { try library.subscribe(filter, options) }
            }
            post(library.mailbox, &session, isNew: isNew)
            if try end(library, &session) { return }
            if session.isAccepted { try publishOutbox(library, &session) }
        }
    }

    /// Sleeps until the socket or a caller wants something; two seconds at most, because the library has
    /// clocks of its own, which count in seconds; half of one while the connection begins or ends.
    private func wait(_ library: borrowing Mosquitto, _ session: MQTTSession) {
        var events = Int16(POLLIN)
        // During the handshake the library's wish to write is stale: it would make us spin.
        if !session.isTCPUp || (session.isAccepted && library.wantsToWrite) {
            events |= Int16(POLLOUT)
        }
        var descriptors = [
            pollfd(fd: library.socket, events: events, revents: 0),
            pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let isAtRest = session.isAccepted && state.withLock { $0.closing == nil }
        poll(&descriptors, 2, isAtRest ? 2000 : 500)
        bell.silence()
    }

    /// Leaves what the library's callbacks noted for the owner.
    private func post(_ mailbox: Mosquitto.Mailbox, _ session: inout MQTTSession, isNew: Bool) {
        var events: [Event] = isNew ? [.connected] : []
        for number in mailbox.acknowledged {
            if let id = session.numbers.removeValue(forKey: number) {
                events.append(.acknowledged(id))
            }
            if number == session.lastWord { session.lastWordConfirmed = true }
        }
        mailbox.acknowledged = []
        let received = mailbox.received
        mailbox.received = []
        let oversized = mailbox.oversized
        mailbox.oversized = 0
        events += mailbox.notSubscribed.map { .notSubscribed($0) }
        mailbox.notSubscribed = []
        guard !events.isEmpty || !received.isEmpty || oversized > 0 else { return }
        state.withLock { state in
            state.events += events
            state.lost += oversized
            for message in received {
                guard state.received < options.receivedMax else {
                    state.lost += 1
                    continue
                }
                state.received += 1
                state.events.append(.received(message))
            }
        }
        wake.yield()
    }

    private func publishOutbox(_ library: borrowing Mosquitto, _ session: inout MQTTSession)
        throws(MQTTTrouble)
    {
        let outbox = state.withLock { state in
            defer { state.outbox = [] }
            return state.outbox
        }
        for (id, message) in outbox {
            session.numbers[try library.publish(message, options)] = id
        }
    }

    /// Takes the next step of an orderly end, if one was asked for; true when it is done.
    private func end(_ library: borrowing Mosquitto, _ session: inout MQTTSession)
        throws(MQTTTrouble) -> Bool
    {
        guard case .farewell(let lastWord) = state.withLock({ $0.closing }) else { return false }
        guard session.isAccepted else { return true }
        let now = SystemClock().now()
        if session.farewellBy == nil {
            session.farewellBy = now + Self.farewellMax
            try publishOutbox(library, &session)
            if let lastWord {
                session.lastWord = try library.publish(lastWord, options)
                return false
            }
            session.lastWordConfirmed = true
        }
        guard session.lastWordConfirmed || session.farewellBy.map({ $0 <= now }) ?? true else {
            return false
        }
        library.disconnect()
        return true
    }
}
