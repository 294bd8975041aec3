import Base
import Glibc
import Linux

/// A connected unix stream socket, non-blocking: one line in, one line out.
final class LocalStream: Sendable {
    enum Trouble: Error, Equatable {
        case timedOut
        case tooLong
        case closed
    }

    private let socket: FileDescriptor

    init(_ socket: consuming FileDescriptor) {
        self.socket = socket
    }

    /// Connects to a listening socket. The corresponding C function is `connect`.
    convenience init(connectingTo path: String) throws(SystemError) {
        let attempted = "connect to \(path)"
        let socket = try Self.socket(attempted)
        let raw = socket.raw
        let address = try Self.address(path, attempted)
        _ = try check(attempted) { Self.with(address) { connect(raw, $0, $1) } }
        self.init(socket)
    }

    /// The bytes up to the first newline, without it.
    func readLine(bytesMax: Int, until deadline: Instant) async throws -> [UInt8] {
        var line: [UInt8] = []
        while true {
            do throws(SystemError) {
                let chunk = try socket.read(atMost: 16_384)
                if chunk.isEmpty { throw SystemError("read", code: EPIPE) }
                let end = chunk.firstIndex(of: 10)
                line += chunk[..<(end ?? chunk.count)]
                guard line.count <= bytesMax else { throw SystemError("read", code: EMSGSIZE) }
                if end != nil { return line }
            } catch {
                switch error.code {
                case EAGAIN:
                    guard
                        try await Reactor.shared.wait(
                            for: .readable, on: socket.raw, until: deadline) == .ready
                    else { throw Trouble.timedOut }
                case EMSGSIZE: throw Trouble.tooLong
                case EPIPE, ECONNRESET: throw Trouble.closed
                default: throw error
                }
            }
        }
    }

    func write(_ bytes: [UInt8], until deadline: Instant) async throws {
        var done = 0
        while done < bytes.count {
            // Not `write`: a peer that is gone must not send us SIGPIPE.
            let count = bytes[done...].withUnsafeBytes {
                send(socket.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                done += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                guard
                    try await Reactor.shared.wait(for: .writable, on: socket.raw, until: deadline)
                        == .ready
                else { throw Trouble.timedOut }
            default: throw Trouble.closed
            }
        }
    }

    // MARK: socket calls

    static func socket(_ attempted: String) throws(SystemError) -> FileDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return FileDescriptor(
            owning: try check(attempted) { Glibc.socket(AF_UNIX, kind, 0) })
    }

    /// A path must fit into `sun_path`: 107 bytes.
    static func address(_ path: String, _ attempted: String) throws(SystemError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(attempted, code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    static func with<R>(
        _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
