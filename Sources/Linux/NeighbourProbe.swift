package import Base
import Glibc

/// The kernel's ARP, put to use: whether a host of a directly connected network is there (`rtnetlink(7)`, `arp(7)`).
package enum NeighbourProbe {
    /// What ARP knows of a host.
    package enum Finding: Sendable {
        case answered, silent
        /// Somebody has written its hardware address down, or the link needs none: nothing is asked.
        case fixed
    }

    /// The hosts of one interface, and whether the last question to each was answered; those that are being
    /// asked just now are left out.
    package static func answers(
        on interfaceIndex: Int32, _ socket: borrowing NetlinkSocket
    ) throws(SystemError) -> [IPv4Address: Bool] {
        try findings(on: interfaceIndex, socket).mapValues { $0 != .silent }
    }

    /// The same, told apart (`RTM_GETNEIGH`).
    package static func findings(
        on interfaceIndex: Int32, _ socket: borrowing NetlinkSocket
    ) throws(SystemError) -> [IPv4Address: Finding] {
        var message = NetlinkMessage()
        message.begin(type: 30, flags: 0x301, sequence: 0)
        message.append(bytes: [UInt8(AF_INET)] + [UInt8](repeating: 0, count: 11))
        message.end()
        var found: [IPv4Address: Finding] = [:]
        for reply in try socket.dump(message.bytes, "list neighbours") where reply.type == 28 {
            guard reply.payload.number(at: 4, as: Int32.self) == interfaceIndex,
                let state = reply.payload.number(at: 8, as: UInt16.self),
                let bytes = reply.attribute(1, after: 12),  // NDA_DST
                let address = IPv4Address(bytes: bytes)
            else { continue }
            switch state {
            case 0x02: found[address] = .answered  // NUD_REACHABLE
            case 0x40, 0x80: found[address] = .fixed  // NUD_NOARP, …_PERMANENT
            case 0x01, 0x20: found[address] = .silent  // NUD_INCOMPLETE, …_FAILED
            default: break
            }
        }
        return found
    }

    /// Has the kernel ask who has the address; it goes on for three seconds when nobody answers.
    ///
    /// `isKnown`: it answered the last time, and is asked at its hardware address.
    package static func ask(
        _ address: IPv4Address, on interfaceIndex: Int32, isKnown: Bool,
        _ socket: borrowing NetlinkSocket
    ) throws(SystemError) {
        var message = NetlinkMessage()
        // NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE, and NLM_F_CREATE for what is not known.
        message.begin(type: 28, flags: isKnown ? 0x105 : 0x505, sequence: 0)
        message.append(bytes: [UInt8(AF_INET), 0, 0, 0])
        message.append(interfaceIndex)
        // NUD_PROBE, or NTF_USE: as if a packet were to be sent.
        message.append(UInt16(isKnown ? 0x10 : 0))
        message.append(bytes: [isKnown ? 0 : 1, 0])
        message.attribute(1, address.bytes)
        message.end()
        try socket.transact(message.bytes, "ask for \(address)")
    }

    /// The number of an interface; nil: there is none. The corresponding C function is `if_nametoindex`.
    package static func index(of interface: String) -> Int32? {
        let index = if_nametoindex(interface)
        return index == 0 ? nil : Int32(bitPattern: index)
    }

    /// The ports of a bridge by name, or the interface itself, each with whether it has a carrier.
    package static func ports(of interface: String) -> [(name: String, hasCarrier: Bool)] {
        let names = bridgePorts(of: interface)
        return (names.isEmpty ? [interface] : names).map {
            ($0, InterfaceFacts.hasCarrier($0) ?? false)
        }
    }

    /// The names of a bridge's ports; none if it is no bridge.
    package static func bridgePorts(of interface: String) -> [String] {
        var names: [String] = []
        if let folder = opendir("/sys/class/net/\(interface)/brif") {
            while let entry = readdir(folder) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if !name.hasPrefix(".") { names.append(name) }
            }
            closedir(folder)
        }
        return names.sorted()
    }
}
