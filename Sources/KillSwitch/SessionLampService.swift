import Base
import Glibc
import Linux
package import Logging
package import Settings
import Synchronization

/// Lights a lamp while a remote session is open, on a thread of its own: whatever is the matter with the lamp or its
/// chip, the switch does not wait for it.
package final class SessionLampService: Sendable {
    package enum Limits {
        /// Between two looks: the level is set again, so that a chip that was pulled out is noticed.
        package static let tick = Duration.seconds(1)
    }

    package struct Status: Equatable, Sendable {
        package var isOn = false
        /// Why the line cannot be driven; nil: it is.
        package var trouble: String?
    }

    private struct State {
        var isWanted = false
        var isEnding = false
        var status = Status()
    }

    private let lamp: Settings.KeySwitch.Lamp
    private let chip: String
    private let words: SwitchWords
    private let logger: Logger
    private let bell = Doorbell()
    private let state = Mutex(State())

    /// Nil: there is no lamp.
    package init?(settings: Settings.KeySwitch, logger: Logger) {
        guard let lamp = settings.lamp else { return nil }
        self.lamp = lamp
        chip = settings.chip
        words = SwitchWords(chip: settings.chip, line: lamp.line)
        self.logger = logger
    }

    package func status() -> Status { state.withLock { $0.status } }

    /// Whether a remote session is open.
    package func show(_ isOpen: Bool) {
        state.withLock { $0.isWanted = isOpen }
        bell.ring()
    }

    /// Runs once, until it is cancelled; the lamp is out and its line released when it returns.
    package func run() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { ended in
                BlockingThread.start(name: "session-lamp") {
                    self.drive()
                    ended.resume()
                }
            }
        } onCancel: {
            state.withLock { $0.isEnding = true }
            bell.ring()
        }
    }

    private func drive() {
        var line: GPIOOutput?
        while true {
            let (isWanted, isEnding) = state.withLock { ($0.isWanted && !$0.isEnding, $0.isEnding) }
            do throws(LineFailure) {
                if try !Self.set(line, isWanted) {
                    line = try GPIOOutput(lamp, of: chip, isOn: isWanted)
                }
                note(Status(isOn: isWanted))
            } catch {
                line = nil
                note(Status(trouble: words.text(error)))
            }
            if isEnding { return }
            wait()
        }
    }

    /// False: there is no line yet.
    private static func set(
        _ line: borrowing GPIOOutput?, _ isOn: Bool
    ) throws(LineFailure) -> Bool {
        switch line {
        case .some(let line):
            try line.set(isOn)
            return true
        case nil:
            return false
        }
    }

    private func wait() {
        var descriptor = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, Int32(Limits.tick.nanoseconds / 1_000_000))
        bell.silence()
    }

    private func note(_ status: Status) {
        let before = state.withLock { state in
            defer { state.status = status }
            return state.status
        }
        // Once, not with each attempt.
        guard before.trouble != status.trouble else { return }
        if let trouble = status.trouble {
            logger.warning("session lamp does not work", metadata: ["reason": "\(trouble)"])
        } else {
            logger.notice("session lamp works again")
        }
    }
}
