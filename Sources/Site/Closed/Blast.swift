package import Base
import Glibc
import Linux

/// The same datagram as often as the machine can send it, or at a rate, until told to end.
package enum Blast {
    /// As many go to the kernel with one call when no rate is asked for.
    private static let batch = 32

    /// Returns how many were sent to `router` through `interface`.
    package static func run(
        interface: String, router: [UInt8], from sender: IPv4Address, to receiver: IPv4Address,
        port: UInt16, rate: Int, isReady: () -> Void, isOver: (_ sent: Int) -> Bool
    ) throws -> (sent: Int, processor: Duration) {
        let wire = try FuzzWire(interface: interface, onlySends: true)
        var packet: [UInt8] = [0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0, 0]
        packet += sender.bytes + receiver.bytes
        let sum = FuzzPackets.checksum(packet)
        packet.replaceSubrange(10..<12, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
        let (high, low) = (UInt8(port >> 8), UInt8(port & 0xff))
        let frame =
            router + wire.address + [0x08, 0x00] + packet + [high, low, high, low, 0, 8, 0, 0]
        let clock = SystemClock()
        let begun = clock.now()
        isReady()
        var sent = 0
        let before = processorTime()
        while !isOver(sent) {
            if rate > 0 {
                let due = begun + .nanoseconds(Int64(sent) * 1_000_000_000 / Int64(rate))
                let rest = (due - clock.now()).nanoseconds
                if rest > 0 { usleep(UInt32(clamping: rest / 1000 + 1)) }
                if wire.send(frame) { sent += 1 }
            } else {
                sent += wire.send(frame, times: batch)
            }
        }
        return (sent, processorTime() - before)
    }

    /// What this thread has cost, with what the kernel did in its name: on a cable between namespaces the whole way
    /// of a packet, whatever else the machine does.
    private static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
