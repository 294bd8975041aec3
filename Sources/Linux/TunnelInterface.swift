package import Base
import CLinux

/// A tun device that a program of our own user may use without any privilege, because we make and address it.
package enum TunnelInterface {
    /// Makes it anew: what an earlier process left under that name goes.
    package static func make(_ name: String) throws(SystemError) {
        try remove(name)
        _ = try checkShim("make the tunnel device \(name)", clinux_tun_make(name))
    }

    /// Does nothing when there is none.
    package static func remove(_ name: String) throws(SystemError) {
        _ = try checkShim("remove the tunnel device \(name)", clinux_tun_remove(name))
    }

    /// Bytes that came out of it (from the tunnel) and went into it, since it was made; nil if there is none.
    package static func traffic(_ name: String, _ entries: KernelEntries)
        -> (received: UInt64, sent: UInt64)?
    {
        func count(_ file: String) -> UInt64? {
            let line = try? entries.line("/sys/class/net/\(name)/statistics/\(file)")
            return line.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
        }
        guard let received = count("rx_bytes"), let sent = count("tx_bytes") else { return nil }
        return (received, sent)
    }

    /// Gives it its only address, and sets it up.
    package static func setUp(
        _ name: String, _ address: IPv4Address, in network: CIDR
    ) throws(SystemError) {
        let mask =
            network.prefixLength == 0
            ? 0 : UInt32.max << UInt32(32 - network.prefixLength)
        _ = try checkShim(
            "give \(name) the address \(address)",
            clinux_interface_up(name, address.value.bigEndian, mask.bigEndian))
    }
}
