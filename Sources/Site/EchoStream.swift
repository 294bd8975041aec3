package import Base
import Glibc
import Linux

/// A client that sends numbered datagrams at a steady rate to a service that sends each of them back, and notes
/// when each came back: what a user of the uplinks sees of them.
package enum EchoStream {
    private static let datagramBytes = 16

    /// Sends every datagram back to where it came from, until the process ends.
    package static func serve(port: UInt16, isListening: () -> Void) throws {
        let socket = try DatagramSocket(listening: IPv4Address(value: 0), port: port)
        let raw = socket.descriptor
        isListening()
        while true {
            var wanted = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            poll(&wanted, 1, -1)
            while let (bytes, peer) = try socket.receive(bytesMax: 64) {
                try? DatagramSocket.send(bytes, to: peer, on: raw)
            }
        }
    }

    /// Calls `report` with the number, the time of sending and the time of coming back of each.
    package static func converse(
        with address: IPv4Address, port: UInt16, rate: Int,
        report: (UInt64, Instant, Instant) -> Void
    ) throws {
        let socket = try DatagramSocket(listening: IPv4Address(value: 0), port: 0)
        let raw = socket.descriptor
        let clock = SystemClock()
        let peer = DatagramSocket.Peer(address: address, port: port)
        var due = clock.now()
        for number in UInt64(1)... {
            let words = [number, UInt64(bitPattern: clock.now().nanoseconds)]
            try? DatagramSocket.send(words.withUnsafeBytes { Array($0) }, to: peer, on: raw)
            due += .nanoseconds(1_000_000_000 / Int64(rate))
            while case let rest = (due - clock.now()).nanoseconds, rest > 0 {
                var wanted = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
                poll(&wanted, 1, Int32((rest + 999_999) / 1_000_000))
                while let (bytes, _) = try? socket.receive(bytesMax: 64) {
                    let arrived = clock.now()
                    guard bytes.count == datagramBytes,
                        let number = bytes[...].number(at: 0, as: UInt64.self),
                        let sent = bytes[...].number(at: 8, as: Int64.self)
                    else { continue }
                    report(number, Instant(nanoseconds: sent), arrived)
                }
            }
        }
    }
}
