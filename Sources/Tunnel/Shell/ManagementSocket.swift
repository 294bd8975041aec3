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
        let address = try UnixAddress(path, to: attempted)
        listener = try UnixSocket.open(SOCK_STREAM, to: attempted)
        let raw = listener.raw
        unlink(path)
        // Before it has a name: at no moment may somebody else connect.
        _ = try check(attempted) { fchmod(raw, 0o600) }
        _ = try check(attempted) { address.with { bind(raw, $0, $1) } }
        _ = try check(attempted) { listen(raw, 1) }
    }

    /// Waits for the connection of this process; others are turned away.
    func accept(from processID: Int32) async throws -> ManagementConnection {
        while true {
            let caller = try await UnixSocket.accept(
                on: listener.raw, to: "accept OpenVPN at \(path)")
            if clinux_peer_process(caller.raw) == processID { return ManagementConnection(caller) }
        }
    }

    deinit { unlink(path) }
}

/// The connection of one OpenVPN.
final class ManagementConnection: Sendable {
    private let socket: FileDescriptor

    fileprivate init(_ socket: consuming FileDescriptor) {
        self.socket = socket
    }

    /// Sends a command, perhaps with lines that belong to it; commands are short and few, so one that does not
    /// fit at once is an error.
    ///
    /// `about` stands for the command in what is thrown: that may go to a log.
    func send(
        _ command: String, _ lines: String? = nil, about: String? = nil
    ) throws(SystemError) {
        let text = lines.map { "\(command)\n\($0)\($0.hasSuffix("\n") ? "" : "\n")END\n" }
        let bytes = Array((text ?? command + "\n").utf8)
        let raw = socket.raw
        let count = try check("tell OpenVPN to \(about ?? command)") {
            Glibc.send(raw, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        guard count == bytes.count else {
            throw SystemError("tell OpenVPN to \(about ?? command)", code: EAGAIN)
        }
    }

    /// The next bytes; empty at the end.
    func read() async throws -> [UInt8] {
        _ = try await Reactor.shared.wait(for: .readable, on: socket.raw)
        return try socket.read(atMost: 4096)
    }
}
