package import Base
import CLinux
private import COpenSSL
import Glibc

/// A TLS connection that we begin, non-blocking, under our policy (`TLSPolicy`).
///
/// Not `Sendable`: OpenSSL's state belongs to whoever holds it, one call at a time.
package final class TLSStream {
    private let socket: FileDescriptor
    private let context: TLSContext
    private let ssl: OpaquePointer
    private let place: String

    /// Connects and shakes hands, or throws why not in words. The corresponding C functions are `connect` and
    /// `SSL_connect`.
    ///
    /// `device`: the interface that it uses, and its address there; nil: as the routes lead. The corresponding C functions are
    /// `setsockopt(SO_BINDTODEVICE)` and `bind`.
    package static func open(
        to peer: DatagramSocket.Peer, policy: TLSPolicy,
        over device: (interface: String, source: IPv4Address)? = nil, until deadline: Instant
    ) async throws -> TLSStream {
        let place = "\(peer.address):\(peer.port)"
        let context: TLSContext
        do throws(TLSProblem) {
            context = try TLSContext(policy)
        } catch {
            throw TLSStreamProblem(error.why)
        }
        let socket = try await connected(to: peer, over: device, until: deadline)
        let stream = try TLSStream(socket, context, policy.host, place)
        let ssl = stream.ssl
        try await stream.perform("shake hands with \(place)", until: deadline) { SSL_connect(ssl) }
        return stream
    }

    private init(
        _ socket: consuming FileDescriptor, _ context: consuming TLSContext, _ host: String,
        _ place: String
    ) throws(TLSStreamProblem) {
        guard
            let ssl = context.withUnsafeContext({ SSL_new(OpaquePointer($0)) })
        else { throw TLSStreamProblem("OpenSSL cannot make a connection: \(lastError())") }
        self.socket = socket
        self.context = context
        self.ssl = ssl
        self.place = place
        guard SSL_set_fd(ssl, self.socket.raw) == 1, copenssl_set_host(ssl, host) == 1 else {
            throw TLSStreamProblem("OpenSSL refuses the server's name: \(lastError())")
        }
    }

    deinit {
        // "We end here" (close_notify), if it can be said at once.
        if SSL_is_init_finished(ssl) == 1 { SSL_shutdown(ssl) }
        SSL_free(ssl)
    }

    private static func connected(
        to peer: DatagramSocket.Peer, over device: (interface: String, source: IPv4Address)?,
        until deadline: Instant
    ) async throws -> FileDescriptor {
        let attempted = "connect to \(peer.address):\(peer.port)"
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = FileDescriptor(
            owning: try check(attempted) {
                Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | flags, 0)
            })
        let raw = socket.raw
        if let (interface, source) = device {
            let name = Array(interface.utf8)
            _ = try check("bind a socket to \(interface)") {
                setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count))
            }
            _ = try check("bind a socket to \(source) on \(interface)") {
                withSocketAddress(source) { bind(raw, $0, $1) }
            }
        }
        let code = withSocketAddress(peer.address, port: peer.port) {
            connect(raw, $0, $1) == 0 ? 0 : errno
        }
        guard code != 0 else { return socket }
        guard code == EINPROGRESS else { throw SystemError(attempted, code: code) }
        guard try await Reactor.shared.wait(for: .writable, on: raw, until: deadline) == .ready
        else { throw SystemError(attempted, code: ETIMEDOUT) }
        var result: Int32 = 0
        var length = socklen_t(4)
        getsockopt(raw, SOL_SOCKET, SO_ERROR, &result, &length)
        guard result == 0 else { throw SystemError(attempted, code: result) }
        return socket
    }

    /// Returns when OpenSSL has taken all bytes. The corresponding C function is `SSL_write`.
    package func write(_ bytes: [UInt8], until deadline: Instant) async throws {
        var done = 0
        let ssl = ssl
        while done < bytes.count {
            // At most a record of TLS at a time: a repeated call must have the same bytes.
            let part = Array(bytes[done...].prefix(16_384))
            try await perform("write to \(place)", until: deadline) {
                SSL_write(ssl, part, Int32(part.count))
            }
            done += part.count
        }
    }

    /// What comes next, at least a byte and at most `count`; throws when the connection ends before. The corresponding C
    /// function is `SSL_read`.
    package func read(atMost count: Int, until deadline: Instant) async throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var length: Int32 = 0
        let ssl = ssl
        try await perform("read from \(place)", until: deadline) {
            length = SSL_read(ssl, &buffer, Int32(count))
            return length
        }
        return Array(buffer.prefix(Int(length)))
    }

    /// Returns when the other host's kernel has confirmed all that was written; throws `ETIMEDOUT` when it has not in
    /// time. The corresponding C function is `ioctl(SIOCOUTQ)`.
    package func confirmed(until deadline: Instant) async throws {
        while true {
            let waiting = clinux_unconfirmed(socket.raw)
            guard waiting >= 0 else {
                throw SystemError("ask what \(place) has confirmed", code: -waiting)
            }
            if waiting == 0 { return }
            let now = SystemClock().now()
            guard now < deadline else {
                throw SystemError("have \(place) confirm what was sent", code: ETIMEDOUT)
            }
            // What the server says, or that it hangs up, ends the wait; so does a while.
            try await idle(until: min(deadline, now + .milliseconds(20)))
        }
    }

    /// Waits until `deadline`, and throws when the connection ends before. What the other side says is dropped.
    package func idle(until deadline: Instant) async throws {
        while try await Reactor.shared.wait(for: .readable, on: socket.raw, until: deadline)
            == .ready
        {
            var buffer = [UInt8](repeating: 0, count: 4096)
            ERR_clear_error()
            let count = SSL_read(ssl, &buffer, Int32(buffer.count))
            guard count <= 0 else { continue }
            let code = SSL_get_error(ssl, count)
            guard code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE else {
                throw TLSStreamProblem(problem(code, "the server has closed the connection"))
            }
        }
    }

    private func perform(
        _ attempted: String, until deadline: Instant, _ call: () -> Int32
    ) async throws {
        while true {
            ERR_clear_error()
            let result = call()
            if result > 0 { return }
            let code = SSL_get_error(ssl, result)
            let direction: Reactor.Direction
            switch code {
            case SSL_ERROR_WANT_READ: direction = .readable
            case SSL_ERROR_WANT_WRITE: direction = .writable
            default:
                let hangUp = "cannot \(attempted): the server has closed the connection"
                throw TLSStreamProblem(problem(code, hangUp))
            }
            guard
                try await Reactor.shared.wait(for: direction, on: socket.raw, until: deadline)
                    == .ready
            else { throw SystemError(attempted, code: ETIMEDOUT) }
        }
    }

    private func problem(_ code: Int32, _ hangUp: String) -> String {
        if let refusal = context.verdict.refusal { return refusal }
        guard code == SSL_ERROR_SSL else { return hangUp }
        let why = lastError()
        return why.contains("unexpected eof") ? hangUp : "TLS failed: \(why)"
    }
}

/// Why there is no TLS connection, or not any more, in words.
package struct TLSStreamProblem: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
