import Glibc
import Linux

/// `/proc/sys/net/ipv4`: forwarding as a whole, and off again on the uplinks.
///
/// So nothing is forwarded from the WAN even with an empty packet filter.
package struct KernelForwarding: Forwarding {
    private static let root = "/proc/sys/net/ipv4"

    package init() {}

    package func set(enabled: Bool, closed: [InterfaceName]) throws {
        // Writing the switch sets it for every interface: only when it changes, and before the rest.
        let wanted: [UInt8] = enabled ? [49] : [48]
        let whole = "\(Self.root)/ip_forward"
        if try SmallFile.read(whole).first != wanted.first { try write(wanted, to: whole) }
        guard enabled else { return }
        for interface in closed {
            let path = "\(Self.root)/conf/\(interface)/forwarding"
            // An uplink that is not plugged in: the rules alone hold it until the next `apply`.
            guard access(path, F_OK) == 0 else { continue }
            try write([48], to: path)
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        try FileDescriptor(open: path, flags: O_WRONLY).writeAll(bytes)
    }
}
