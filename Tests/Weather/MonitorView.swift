import Base
import Uplinks

/// How a monitor stood after the last event.
struct MonitorView {
    private(set) var standing = UplinkMonitor.Standing.noLink
    private(set) var isSuspected = false
    private(set) var nextWakeUp: Instant?
    /// As the watch over quality says.
    var isPoor = false
    /// As the watch for login pages says.
    var isCaptive = false

    var isSure: Bool { standing == .up && !isSuspected && !isCaptive }
    var isGood: Bool { isSure && !isPoor }
    /// Known to carry nothing.
    var isDead: Bool {
        switch standing {
        case .down, .noLink, .recovering, .doubtful: true
        case .up: isCaptive
        case .untried: false
        }
    }

    /// `inout`, for asking would copy it.
    mutating func update(_ monitor: inout UplinkMonitor) {
        standing = monitor.standing
        isSuspected = monitor.isSuspected
        nextWakeUp = monitor.nextWakeUp
    }
}

/// A promise that was broken.
package struct Violation: Error, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}
