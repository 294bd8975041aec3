import Base
import Glibc
import Linux
import Settings
import Synchronization

/// Where the switch's thread shows what it did, and everybody else reads it.
final class SwitchBoard: Sendable {
    private let shown: Mutex<SwitchStatus>
    private let events: AsyncStream<SwitchEvent>.Continuation
    private let changes: AsyncStream<SwitchStatus>.Continuation
    private let words: SwitchWords

    init(
        settings: Settings.KeySwitch, events: AsyncStream<SwitchEvent>.Continuation,
        changes: AsyncStream<SwitchStatus>.Continuation
    ) {
        self.events = events
        self.changes = changes
        words = SwitchWords(settings)
        shown = Mutex(
            SwitchStatus(
                position: .unknown, line: words.line, isAllowed: false,
                reason: words.text(.starting), changes: 0,
                since: SystemClock().now(), schedule: .ordinary, memoryIsLocked: false,
                brokenWireIsOff: settings.brokenWireIsOff))
    }

    func status() -> SwitchStatus { shown.withLock { $0 } }

    func show(schedule: SwitchStatus.Schedule, memoryIsLocked: Bool) {
        shown.withLock {
            $0.schedule = schedule
            $0.memoryIsLocked = memoryIsLocked
        }
    }

    /// The lease of the open gate was renewed.
    func show(renewedAt now: Instant) {
        shown.withLock { $0.renewed = now }
    }

    /// An edge has shut the open gate.
    func show(cut: SwitchStatus.Cut) {
        shown.withLock { status in
            status.cutCount += 1
            if status.cuts.count == KillSwitchService.Limits.cutsMax { status.cuts.removeFirst() }
            status.cuts.append(cut)
        }
    }

    /// Shows the machine's state, and tells the listeners what is new about it.
    func show(
        _ key: KeySwitch, levels: KeySwitch.Levels?, gateTrouble: SystemError?, at now: Instant
    ) {
        let reason = key.reason.map { words.text($0) } ?? "the key is on"
        let (status, isNew) = shown.withLock { status in
            let isNew = status.access != key.access
            status.access = key.access
            if isNew {
                status.changes += 1
                status.since = now
            }
            status.isAllowed = key.isOpen
            status.ends = key.ends
            status.isTimeUp = key.reason == .timeIsUp || key.reason == .mustBeTurned
            status.position = key.position
            status.isSettling = key.reason == .keyMoved
            status.level = levels?.line
            status.remoteLevel = levels?.remoteLine
            status.reason = reason
            status.gateTrouble = gateTrouble?.description
            return (status, isNew)
        }
        changes.yield(status)
        switch key.access {
        case .remote: if isNew { events.yield(.allowed) }
        case .online: events.yield(.online(reason: reason))
        case .nothing: events.yield(.closed(reason: reason))
        }
    }

    func finish() {
        events.finish()
        changes.finish()
    }
}

/// Reasons for people: what is the matter with which line.
struct SwitchWords: Sendable {
    private let chip: String
    private let name: String
    private let remoteName: String?
    private let debounce: String
    private let limit: String

    init(_ settings: Settings.KeySwitch) {
        self.init(
            chip: settings.chip, line: settings.line, remoteLine: settings.remoteLine,
            debounce: settings.debounce,
            limit: settings.limit)
    }

    init(
        chip: String, line: Settings.KeySwitch.Line, remoteLine: Settings.KeySwitch.Line? = nil,
        debounce: Duration = .zero, limit: Duration? = nil
    ) {
        self.chip = chip
        name = Self.text(line)
        remoteName = remoteLine.map { Self.text($0) }
        self.debounce = DurationText.format(debounce)
        self.limit = DurationText.format(limit ?? .zero)
    }

    private static func text(_ line: Settings.KeySwitch.Line) -> String {
        switch line {
        case .name(let name): "\"\(name)\""
        case .offset(let number): "\(number)"
        }
    }

    /// The line, or both lines, and their chip.
    var line: String {
        remoteName.map { "lines \(name) and \($0) of \(chip)" } ?? "line \(name) of \(chip)"
    }

    func text(_ reason: KeySwitch.Reason) -> String {
        switch reason {
        case .starting: "the key has not been read yet"
        case .keyIsOff: "the key is off"
        case .keyIsAtOnline: "the key is at online, not at remote"
        case .contradiction:
            "\(line) both read as closed contacts, which no key does: look for a short circuit"
        case .keyMoved: "the key reads on: waiting until it is quiet for \(debounce)"
        case .timeIsUp:
            "remote access was allowed for \(limit): turn the key off, and on again"
        case .mustBeTurned:
            "a turn of the key allows remote access for \(limit), and there was none since the "
                + "start: turn it off, and on again"
        case .gateFailed(let code):
            SystemError("keep the firewall's gate open", code: code).description
        case .stopped: "nobody watches the key any more"
        case .lineFailed(let failure): text(failure)
        }
    }

    func text(_ failure: LineFailure) -> String {
        let name = failure.isRemoteLine ? remoteName ?? name : name
        let line = "line \(name) of \(chip)"
        switch failure.step {
        case .openChip:
            return SystemError("open the GPIO chip \(chip)", code: failure.code).description
        case .findLine where failure.code == ENOENT:
            return "\(chip) has no line named \(name): `gpioinfo` lists them"
        case .findLine:
            return SystemError("look for line \(name) on \(chip)", code: failure.code).description
        case .requestLine where failure.code == EBUSY:
            let holder = failure.holder.map { "\"\($0)\"" } ?? "another program"
            return "\(line) is held by \(holder)"
        case .requestLine:
            return SystemError("request \(line)", code: failure.code).description
        case .waitForEdge:
            return SystemError("watch \(line)", code: failure.code).description
        case .setLevel:
            return SystemError("drive \(line)", code: failure.code).description
        case .readLevel:
            return SystemError("read \(line)", code: failure.code).description
        }
    }
}

extension Settings.KeySwitch {
    /// Whether an unconnected line reads as "off": only when it is pulled to the level that means it.
    package var brokenWireIsOff: Bool {
        switch (bias, offLevel) {
        case (.pullUp, .high), (.pullDown, .low): true
        case (.pullUp, .low), (.pullDown, .high), (.asIs, _), (.disabled, _): false
        }
    }
}
