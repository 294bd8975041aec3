package import Base
package import Linux
package import Logging
package import Settings
import Synchronization

/// The firewall's side of the key switch: an opening that the kernel itself shuts when nobody renews it.
package protocol Gate: Sendable {
    /// Opens the gate, or keeps it open for one more lease (480 ms).
    ///
    /// Without `remote` only what else the key may cut: the uplinks.
    func refresh(remote: Bool) throws(SystemError)

    /// Shuts the gate now, and whatever else the key may cut.
    func close() throws(SystemError)

    /// Shuts the gate now, and nothing else.
    func closeRemote() throws(SystemError)
}

/// What the rest of the house is told, after the gate has been shut or opened.
package enum SwitchEvent: Equatable, Sendable {
    /// Nothing passes.
    case closed(reason: String)
    /// The uplinks are open, remote access is closed.
    case online(reason: String)
    case allowed
}

/// What the key switch is doing.
package struct SwitchStatus: Equatable, Sendable {
    /// How the kernel runs the switch's thread.
    package enum Schedule: String, Sendable {
        /// `SCHED_FIFO`: before every ordinary program.
        case realTime = "real-time"
        /// Ordinary, with the highest priority there.
        case favoured
        /// Like any other program: a busy machine may delay a cut.
        case ordinary
    }

    package var position: KeySwitch.Position
    /// It moved a moment ago: where it comes to rest will be known after `debounce`.
    package var isSettling = false
    /// What the line read last, before its meaning; nil: it cannot be read.
    package var level: KeySwitch.Level?
    /// The same of the second line of a key with three positions; nil also: there is none.
    package var remoteLevel: KeySwitch.Level?
    /// Which line, for people.
    package var line: String
    /// Whether remote access is allowed.
    package var isAllowed: Bool
    /// What may pass, by the key.
    package var access = KeySwitch.Access.nothing
    /// When remote access ends by itself; nil: it does not, or is closed.
    package var ends: Instant?
    /// Remote access is closed, and stays so until the key is turned off and on again.
    package var isTimeUp = false
    /// Why it is not allowed; or that it is.
    package var reason: String
    /// The last order that the firewall refused; nil when it does what it is told.
    package var gateTrouble: String?
    /// How often remote access was allowed or closed.
    package var changes: Int
    /// Since when `access` is what it is.
    package var since: Instant
    /// When the lease of the open gate was renewed last; nil: never.
    package var renewed: Instant?
    /// An edge of the line that shut the open gate.
    package struct Cut: Equatable, Sendable {
        package var at: Instant
        /// From the kernel's stamp of the edge until the firewall had obeyed; nil: the kernel's stamp is of
        /// another clock.
        package var latency: Duration?

        package init(at: Instant, latency: Duration?) {
            self.at = at
            self.latency = latency
        }
    }
    /// The last of them, the newest at the end.
    package var cuts: [Cut] = []
    /// How often an edge shut the open gate since the daemon started.
    package var cutCount = 0
    package var schedule: Schedule
    package var memoryIsLocked: Bool
    /// Whether an unconnected line reads "off": with the configured bias and level.
    package var brokenWireIsOff: Bool
}

/// Watches the key on a thread of its own, and shuts the gate before it does anything else.
///
/// While the key is on it renews the gate's lease every tick: if this process dies or hangs, the kernel
/// shuts the gate.
package final class KillSwitchService: Sendable {
    package enum Limits {
        /// Longest time between two looks at the line, and between two renewals of the lease.
        package static let tick = Duration.milliseconds(250)
        /// What is due within this time of a tick is done with it; else whole periods would take one more.
        static let slack = tick / 2
        /// How often a gate that is shut is shut again.
        package static let closeAgain = Duration.seconds(1)
        /// How long a line that could not be requested or read is left alone.
        package static let lineRetry = Duration.seconds(1)
        /// Pause after each edge while the gate is shut: a storm on the wire may not take the machine.
        package static let stormPause = Duration.milliseconds(2)
        /// Events kept for a listener that is late; the newest win.
        package static let eventsMax = 16
        /// Cuts that are remembered.
        package static let cutsMax = 8
        /// A longer time between edge and cut is no latency but another clock, in nanoseconds.
        package static let latencyMax: UInt64 = 10_000_000_000
        /// Above every program, below the kernel's interrupt threads (50).
        package static let realTimePriority: Int32 = 30
    }

    /// Told after the gate. One listener.
    package let events: AsyncStream<SwitchEvent>

    private let settings: Settings.KeySwitch
    private let gate: any Gate
    private let logger: Logger
    private let board: SwitchBoard
    private let changes: AsyncStream<SwitchStatus>

    package init(settings: Settings.KeySwitch, gate: any Gate, logger: Logger) {
        self.settings = settings
        self.gate = gate
        self.logger = logger
        let events = AsyncStream.makeStream(
            of: SwitchEvent.self, bufferingPolicy: .bufferingNewest(Limits.eventsMax))
        let changes = AsyncStream.makeStream(
            of: SwitchStatus.self, bufferingPolicy: .bufferingNewest(Limits.eventsMax))
        self.events = events.stream
        self.changes = changes.stream
        board = SwitchBoard(
            settings: settings, events: events.continuation, changes: changes.continuation)
    }

    package func status() -> SwitchStatus { board.status() }

    /// Runs once, until it is cancelled; the gate is shut when it returns.
    package func run() async {
        async let logged: Void = log()
        let bell = Doorbell()
        await withTaskCancellationHandler {
            await withCheckedContinuation { ended in
                BlockingThread.start(name: "kill-switch") { [settings, gate, board] in
                    var loop = SwitchLoop(settings: settings, gate: gate, board: board)
                    loop.run(until: bell)
                    ended.resume()
                }
            }
        } onCancel: {
            bell.ring()
        }
        board.finish()
        await logged
        logger.notice("key switch stopped", metadata: ["gate": "closed"])
    }

    /// The thread itself never logs: a full log pipe may not hold it.
    private func log() async {
        var first = true
        for await status in changes {
            if first { describe(status) }
            first = false
            logger.notice(
                status.isAllowed ? "remote access allowed" : "remote access closed",
                metadata: [
                    "position": "\(status.position.rawValue)", "reason": "\(status.reason)",
                    "access": "\(status.access)",
                    "gate_trouble": "\(status.gateTrouble ?? "none")",
                ])
        }
    }

    private func describe(_ status: SwitchStatus) {
        if !status.brokenWireIsOff {
            logger.warning(
                "a broken wire would not read as off: see docs/switch.md",
                metadata: [
                    "when": "\(settings.offLevel.rawValue)", "bias": "\(settings.bias.rawValue)",
                ])
        }
        guard status.schedule != .realTime || !status.memoryIsLocked else { return }
        logger.warning(
            "key switch without full real-time rights: a busy machine may delay a cut",
            metadata: [
                "schedule": "\(status.schedule.rawValue)",
                "memory_locked": "\(status.memoryIsLocked)",
            ])
    }
}
