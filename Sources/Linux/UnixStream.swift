package import Base
import CLinux
import Glibc

/// A connected stream socket, non-blocking: of a unix socket, or accepted by a `TCPListener`.
package final class UnixStream: Sendable {
    package enum Trouble: Error, Equatable {
        case timedOut
        case tooLong
        case closed
    }

    private let socket: FileDescriptor

    package init(_ socket: consuming FileDescriptor) {
        self.socket = socket
    }

    /// Connects to a listening socket. The corresponding C function is `connect`.
    package convenience init(connectingTo path: String) throws(SystemError) {
        let attempted = "connect to \(path)"
        let address = try UnixAddress(path, to: attempted)
        let socket = try UnixSocket.open(SOCK_STREAM, to: attempted)
        let raw = socket.raw
        _ = try check(attempted) { address.with { connect(raw, $0, $1) } }
        self.init(socket)
    }

    /// The user that the peer ran as when it connected; nil: the kernel does not say. The corresponding C call is
    /// `getsockopt` with `SO_PEERCRED`.
    package func peerUserID() -> UInt32? {
        UInt32(exactly: clinux_peer_user(socket.raw))
    }

    /// What there is, at most so many bytes; waits for the first one. An empty result is the end.
    package func read(atMost count: Int, until deadline: Instant?) async throws -> [UInt8] {
        while true {
            do throws(SystemError) {
                return try socket.read(atMost: count)
            } catch {
                guard error.code == EAGAIN else { throw error }
            }
            guard
                try await Reactor.shared.wait(for: .readable, on: socket.raw, until: deadline)
                    == .ready
            else { throw Trouble.timedOut }
        }
    }

    /// The bytes up to the first newline, without it; what comes after it is dropped.
    package func readLine(bytesMax: Int, until deadline: Instant) async throws -> [UInt8] {
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

    package func write(_ bytes: [UInt8], until deadline: Instant) async throws {
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
}
