package import Base
import Glibc
import Linux

/// A steady stream of numbered datagrams, and the other end that notes when each arrived.
///
/// All of a site is one machine with one `CLOCK_BOOTTIME`: the last arrival says when a path was cut.
/// Both ends block: each has a process of its own.
package enum DatagramStream {
    /// What a datagram says, 16 bytes: its number and when it was sent, in this machine's byte order.
    private static let datagramBytes = 16
    /// Most arrivals a sink notes before it ends.
    package static let arrivalsMax = 1 << 20
    /// The sender reports its progress once in so many datagrams.
    package static let reportEvery: UInt64 = 50

    /// Sends `rate` datagrams a second until the process ends; a refusal by the kernel does not stop it.
    ///
    /// Calls `report` with the number and time of what was sent, every `reportEvery` datagrams.
    package static func send(
        to address: IPv4Address, port: UInt16, rate: Int, report: (UInt64, Instant) -> Void
    ) throws {
        let socket = try open()
        let raw = socket.raw
        let period = Int64(1_000_000_000 / rate)
        var due = SystemClock().now()
        for number in UInt64(1)... {
            let now = SystemClock().now()
            var words = [number, UInt64(bitPattern: now.nanoseconds)]
            // A closed path may answer with an ICMP error, which the next send reports: not our business.
            _ = withSocketAddress(address, port: port) {
                sendto(raw, &words, datagramBytes, 0, $0, $1)
            }
            if number.isMultiple(of: reportEvery) { report(number, now) }
            due += .nanoseconds(period)
            sleep(until: due)
        }
    }

    /// Calls `report` with the number of each datagram, when it was sent, and when it arrived.
    package static func receive(
        port: UInt16, isListening: () -> Void, report: (UInt64, Instant, Instant) -> Void
    ) throws {
        let socket = try open()
        let raw = socket.raw
        _ = try check("bind UDP port \(port)") {
            withSocketAddress(IPv4Address(value: 0), port: port) { bind(raw, $0, $1) }
        }
        isListening()
        var words: [UInt64] = [0, 0]
        for _ in 0..<arrivalsMax {
            let count = try check("receive") { recv(raw, &words, datagramBytes, 0) }
            let now = SystemClock().now()
            guard count == datagramBytes else { continue }
            report(words[0], Instant(nanoseconds: Int64(bitPattern: words[1])), now)
        }
    }

    private static func open() throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try check("open a UDP socket") {
                socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private static func sleep(until due: Instant) {
        let rest = (due - SystemClock().now()).nanoseconds
        guard rest > 0 else { return }
        var time = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        nanosleep(&time, nil)
    }
}
