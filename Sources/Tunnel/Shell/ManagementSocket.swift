import Base
import CLinux
import Glibc
import Linux
import Synchronization

/// Where OpenVPN reports to us: a unix socket that only our own user may open.
final class ManagementSocket: Sendable {
    let path: String
    private let listener: FileDescriptor

    /// Listens at the path, in place of what an earlier process left there.
    init(path: String) throws(SystemError) {
        self.path = path
        let attempted = "listen for OpenVPN at \(path)"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(attempted, code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let raw = try check(attempted) {
            socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        }
        listener = FileDescriptor(owning: raw)
        unlink(path)
        // Before it has a name: at no moment may somebody else connect.
        _ = try check(attempted) { fchmod(raw, 0o600) }
        _ = try check(attempted) {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        _ = try check(attempted) { listen(raw, 1) }
    }

    /// Waits for the connection of this process; others are turned away.
    func accept(from processID: Int32) async throws -> ManagementConnection {
        while true {
            _ = try await Reactor.shared.wait(for: .readable, on: listener.raw)
            let raw = clinux_accept(listener.raw)
            guard raw >= 0 else {
                if [EAGAIN, EINTR, ECONNABORTED].contains(-raw) { continue }
                // Out of descriptors, most likely: the caller waits still, so waiting would spin.
                throw SystemError("accept OpenVPN at \(path)", code: -raw)
            }
            let connection = ManagementConnection(owning: raw)
            if clinux_peer_process(raw) == processID { return connection }
        }
    }

    deinit { unlink(path) }
}

/// The connection of one OpenVPN.
final class ManagementConnection: Sendable {
    private let socket: FileDescriptor

    fileprivate init(owning raw: Int32) {
        socket = FileDescriptor(owning: raw)
    }

    /// Sends a command; commands are short and few, so one that does not fit at once is an error.
    func send(_ command: String) throws(SystemError) {
        let bytes = Array((command + "\n").utf8)
        let raw = socket.raw
        let count = try check("tell OpenVPN to \(command)") {
            Glibc.send(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        guard count == bytes.count else {
            throw SystemError("tell OpenVPN to \(command)", code: EAGAIN)
        }
    }

    /// The next bytes; empty at the end.
    func read() async throws -> [UInt8] {
        _ = try await Reactor.shared.wait(for: .readable, on: socket.raw)
        return try socket.read(atMost: 4096)
    }
}
