import Glibc

/// Tells systemd how the service is (`sd_notify(3)`), by datagrams to `$NOTIFY_SOCKET`.
///
/// Outside systemd there is no such socket, and every call does nothing.
package struct Notify: Sendable {
    package enum State: Equatable, Sendable {
        /// Started completely.
        case ready
        /// One line for `systemctl status`.
        case status(String)
        /// Still alive: due within `WatchdogSec`.
        case watchdog
        /// Ending.
        case stopping
    }

    private let socketPath: String?

    /// Longest status line that is sent, in bytes.
    package static let statusBytesMax = 512

    /// `socketPath`: an absolute path, or an abstract name that begins with `@`.
    package init(socketPath: String? = getenv("NOTIFY_SOCKET").map { String(cString: $0) }) {
        self.socketPath = socketPath
    }

    package func send(_ state: State) throws(SystemError) {
        guard let socketPath, !socketPath.isEmpty else { return }
        let attempted = "notify systemd at \(socketPath)"
        let address = try UnixAddress(socketPath, to: attempted)
        let socket = try UnixSocket.open(SOCK_DGRAM, to: attempted)
        let raw = socket.raw
        let message = Self.message(state)
        _ = try check(attempted) {
            address.with { sendto(raw, message, message.count, Int32(MSG_NOSIGNAL), $0, $1) }
        }
    }

    private static func message(_ state: State) -> [UInt8] {
        switch state {
        case .ready: Array("READY=1".utf8)
        case .watchdog: Array("WATCHDOG=1".utf8)
        case .stopping: Array("STOPPING=1".utf8)
        case .status(let text):
            // A line break would begin another assignment.
            Array("STATUS=".utf8) + text.utf8.prefix(statusBytesMax).map { $0 < 32 ? 32 : $0 }
        }
    }
}
