package import Base
import Glibc
import Linux

/// A steady stream of datagrams from one UDP port to the same port of a peer, which may do the same: then
/// each is the other's answer.
///
/// What arrives is counted in a file, with the kernel's own time of arrival: whoever measures neither waits
/// for this process nor makes it wait.
package enum Exchange {
    /// What the file holds.
    package struct Tally: Equatable, Sendable {
        package var received: UInt64 = 0
        package var lastArrival: Instant = .boot
        package var sent: UInt64 = 0
        /// Meaningless while nothing was received.
        package var firstArrival: Instant = .boot

        package init() {}

        /// Reads the file; nothing while it is not there yet.
        package init(path: String) {
            guard let file = try? FileDescriptor(open: path, flags: O_RDONLY),
                let bytes = try? file.read(atMost: bytes), bytes.count == Self.bytes
            else { return }
            let words = bytes.withUnsafeBytes { raw in
                (0..<4).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
            }
            received = words[0]
            lastArrival = Instant(nanoseconds: Int64(bitPattern: words[1]))
            sent = words[2]
            firstArrival = Instant(nanoseconds: Int64(bitPattern: words[3]))
        }

        private static let bytes = 32
        private let bytes = Self.bytes

        fileprivate func write(to file: borrowing FileDescriptor) {
            let words = [
                received, UInt64(bitPattern: lastArrival.nanoseconds), sent,
                UInt64(bitPattern: firstArrival.nanoseconds),
            ]
            _ = pwrite(file.raw, words, Self.bytes, 0)
        }
    }

    /// Goes on until the process is ended. `rate` 0: only receives.
    package static func run(
        port: UInt16, to peer: IPv4Address, rate: Int, tally path: String, isReady: () -> Void
    ) throws {
        let file = try FileDescriptor(
            open: path, flags: O_RDWR | O_CREAT | O_TRUNC, mode: 0o644)
        let socket = FileDescriptor(
            owning: try check("open a UDP socket") {
                Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
        let raw = socket.raw
        _ = try check("ask for times of arrival") { ArrivalStamp.request(on: raw) }
        _ = try check("bind UDP port \(port)") {
            withSocketAddress(IPv4Address(value: 0), port: port) { bind(raw, $0, $1) }
        }
        var tally = Tally()
        tally.write(to: file)
        isReady()
        let clock = SystemClock()
        let period = rate > 0 ? Duration.nanoseconds(1_000_000_000 / Int64(rate)) : .seconds(1)
        var due = clock.now()
        var word = UInt64(0)
        while true {
            let now = clock.now()
            if rate > 0, now >= due {
                word += 1
                // A closed path may answer with an ICMP error or a refusal: not our business.
                _ = withSocketAddress(peer, port: port) { sendto(socket.raw, &word, 8, 0, $0, $1) }
                tally.sent = word
                // What was missed is not made up for: the rate is steady, not a burst.
                due = max(due + period, now - period)
            }
            while let arrival = receive(socket.raw) {
                if tally.received == 0 { tally.firstArrival = arrival }
                tally.received += 1
                tally.lastArrival = arrival
            }
            tally.write(to: file)
            wait(socket.raw, until: rate > 0 ? due : nil)
        }
    }

    /// A sender sleeps until it is time again; who only counts waits for a datagram.
    private static func wait(_ raw: Int32, until due: Instant?) {
        guard let due else {
            var waiting = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, 1000)
            return
        }
        let rest = (due - SystemClock().now()).nanoseconds
        guard rest > 0 else { return }
        var time = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        nanosleep(&time, nil)
    }

    /// However late this process reads it: nobody sets the wall clock of an emulated site.
    private static let ageMax = Duration.seconds(3600)

    /// When the next waiting datagram arrived, by the kernel; nil: none waits.
    private static func receive(_ raw: Int32) -> Instant? {
        var word = UInt64(0)
        var arrival = Instant.boot
        let count = withUnsafeMutableBytes(of: &word) {
            ArrivalStamp.receive(into: $0, from: raw, arrival: &arrival, ageMax: ageMax)
        }
        return count >= 0 ? arrival : nil
    }
}
