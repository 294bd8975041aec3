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
        let raw = try check(attempted) {
            socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        }
        let descriptor = FileDescriptor(owning: raw)
        let message = Self.message(state)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketPath.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(attempted, code: ENAMETOOLONG)
        }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // An abstract name ends where the length says: no zero bytes after it.
        let length = MemoryLayout<sa_family_t>.size + name.count
        _ = try check(attempted) {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        descriptor.raw, message, message.count, Int32(MSG_NOSIGNAL), $0,
                        socklen_t(length))
                }
            }
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
