package import Base
import Glibc
import Linux

/// TCP connections of a LAN client to a service that takes what it is sent: some that rest, new ones again and again, or
/// one that sends as much as it can. Both ends block: each has a process of its own.
package enum Conversations {
    /// Most connections at once, on either side.
    package static let connectionsMax = 256

    /// What became of the client's connections.
    package enum Fact: Equatable, Sendable {
        /// A connection that rested was ended from outside.
        case ended(Instant)
        /// A new one was asked for, and stood.
        case opened(asked: Instant, stood: Instant)
    }

    /// Takes connections and reads what comes, until the process ends.
    package static func swallow(port: UInt16, isListening: () -> Void) throws {
        let listener = try socket()
        var one: Int32 = 1
        setsockopt(listener.raw, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        let raw = listener.raw
        _ = try check("listen on tcp/\(port)") {
            withSocketAddress(IPv4Address(value: 0), port: port) { bind(raw, $0, $1) }
        }
        _ = try check("listen on tcp/\(port)") { listen(raw, 64) }
        isListening()
        var open: [Int32] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var wanted = ([listener.raw] + open).map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            poll(&wanted, nfds_t(wanted.count), -1)
            for ready in wanted.dropFirst() where ready.revents != 0 {
                if recv(ready.fd, &buffer, buffer.count, 0) <= 0, errno != EAGAIN {
                    close(ready.fd)
                    open.removeAll { $0 == ready.fd }
                }
            }
            if wanted[0].revents != 0, case let next = accept(listener.raw, nil, nil), next >= 0 {
                _ = fcntl(next, F_SETFL, O_NONBLOCK)
                open.append(next)
                // The oldest go: those that a client has forgotten never say so.
                if open.count > connectionsMax { close(open.removeFirst()) }
            }
        }
    }

    /// Sends as much as the way takes, until the process ends; begins anew when a connection breaks.
    package static func upload(to address: IPv4Address, port: UInt16) throws {
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let socket = try socket()
            let raw = socket.raw
            _ = fcntl(raw, F_SETFL, 0)
            guard withSocketAddress(address, port: port, { connect(raw, $0, $1) }) == 0 else {
                usleep(200_000)
                continue
            }
            // By its owner: it lives until here.
            while send(socket.raw, bytes, bytes.count, Int32(MSG_NOSIGNAL)) > 0 {}
        }
    }

    /// Keeps `count` connections that rest, and asks for a new one every `pause`.
    package static func hold(
        to address: IPv4Address, port: UInt16, count: Int, pause: Duration,
        report: (Fact) -> Void
    ) throws {
        precondition((1...connectionsMax / 2).contains(count))
        let clock = SystemClock()
        var resting: [Int32: FileDescriptorBox] = [:]
        var asked: [(box: FileDescriptorBox, at: Instant)] = []
        var due = clock.now()
        while true {
            if clock.now() >= due {
                due = max(due + pause, clock.now())
                let socket = try socket()
                let raw = socket.raw
                _ = withSocketAddress(address, port: port) { connect(raw, $0, $1) }
                asked.append((FileDescriptorBox(socket), clock.now()))
                // Those whose question was lost are given up.
                if asked.count > 32 { asked.removeFirst() }
            }
            var wanted =
                asked.map { pollfd(fd: $0.box.raw, events: Int16(POLLOUT), revents: 0) }
                + resting.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(
                &wanted, nfds_t(wanted.count),
                Int32(
                    clamping: Int64(
                        max(1, (due - clock.now()).milliseconds))))
            let now = clock.now()
            for ready in wanted where ready.revents != 0 {
                if let number = asked.firstIndex(where: { $0.box.raw == ready.fd }) {
                    let new = asked.remove(at: number)
                    guard ready.revents & Int16(POLLERR | POLLHUP) == 0 else { continue }
                    report(.opened(asked: new.at, stood: now))
                    if resting.count < count { resting[ready.fd] = new.box }
                } else {
                    resting[ready.fd] = nil
                    report(.ended(now))
                }
            }
        }
    }

    package static func line(_ fact: Fact) -> String {
        switch fact {
        case .ended(let at): "\(at.nanoseconds)"
        case .opened(let asked, let stood): "\(asked.nanoseconds) \(stood.nanoseconds)"
        }
    }

    package static func parse(_ text: String) -> [Fact] {
        text.split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { Int64($0) }
            switch numbers.count {
            case 1: return .ended(Instant(nanoseconds: numbers[0]))
            case 2:
                return .opened(
                    asked: Instant(nanoseconds: numbers[0]),
                    stood: Instant(nanoseconds: numbers[1]))
            default: return nil
            }
        }
    }

    /// A descriptor in a collection.
    private final class FileDescriptorBox {
        private let descriptor: FileDescriptor
        var raw: Int32 { descriptor.raw }
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    private static func socket() throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try check("open a TCP socket") {
                Glibc.socket(
                    AF_INET,
                    Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            })
    }
}
