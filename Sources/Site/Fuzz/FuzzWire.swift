import Base
import CLinux
import Glibc
import Linux

/// A raw socket on an interface (packet(7)): the frames as they are on the wire.
package struct FuzzWire: ~Copyable {
    private let socket: FileDescriptor
    /// The interface's own hardware address.
    package let address: [UInt8]

    /// `ETH_P_ALL`
    private static let everything: Int32 = 3
    private static let placeBytes = 20
    /// `PACKET_QDISC_BYPASS` of `SOL_PACKET`
    private static let (packetOptions, bypassesQueue): (Int32, Int32) = (263, 20)

    /// `onlySends`: nothing is received, and frames go to the driver without a queue between.
    package init(interface: String, onlySends: Bool = false) throws {
        let text = try SmallFile.readText("/sys/class/net/\(interface)/address")
        guard let mac = MACAddress(String(text.prefix { $0 != "\n" })) else {
            throw SiteError("\(interface) has no hardware address: \(text)")
        }
        let received = onlySends ? 0 : UInt16(Self.everything).bigEndian
        let raw = try check("open a packet socket") {
            Glibc.socket(
                AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), Int32(received))
        }
        let opened = FileDescriptor(owning: raw)
        // struct sockaddr_ll: family, protocol in network order, interface; then what it tells on receipt.
        var place = [UInt8](repeating: 0, count: Self.placeBytes)
        place.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt16(AF_PACKET), as: UInt16.self)
            bytes.storeBytes(of: received, toByteOffset: 2, as: UInt16.self)
            bytes.storeBytes(
                of: Int32(if_nametoindex(interface)), toByteOffset: 4, as: Int32.self)
        }
        _ = try check("bind a packet socket to \(interface)") {
            place.withUnsafeBytes { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) {
                    bind(raw, $0.baseAddress, socklen_t(Self.placeBytes))
                }
            }
        }
        if onlySends {
            var bypasses: Int32 = 1
            setsockopt(raw, Self.packetOptions, Self.bypassesQueue, &bypasses, 4)
        }
        var bytes: Int32 = 64 << 20
        // SO_RCVBUFFORCE, when we may.
        if setsockopt(raw, SOL_SOCKET, 33, &bytes, 4) < 0 {
            setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
        }
        address = mac.bytes
        socket = opened
    }

    /// Sends a frame; false when the interface's queue is full.
    package borrowing func send(_ frame: [UInt8]) -> Bool {
        let raw = socket.raw
        return frame.withUnsafeBytes { Glibc.send(raw, $0.baseAddress, $0.count, 0) } == frame.count
    }

    /// Sends a frame `times` times with one call of the kernel; returns how many went out.
    package borrowing func send(_ frame: [UInt8], times: Int) -> Int {
        let raw = socket.raw
        return frame.withUnsafeBufferPointer {
            max(0, Int(clinux_packet_repeat(raw, $0.baseAddress, $0.count, UInt32(times))))
        }
    }

    /// The next frame that comes in, within a tenth of a second; nil if none does.
    package borrowing func receive(_ buffer: inout [UInt8]) -> Int? {
        let raw = socket.raw
        var waiting = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, 100) > 0 {
            var place = [UInt8](repeating: 0, count: Self.placeBytes)
            var length = socklen_t(Self.placeBytes)
            let count = place.withUnsafeMutableBytes { place in
                place.withMemoryRebound(to: sockaddr.self) { address in
                    buffer.withUnsafeMutableBytes {
                        recvfrom(raw, $0.baseAddress, $0.count, 0, address.baseAddress, &length)
                    }
                }
            }
            // PACKET_OUTGOING: our own.
            if count > 0, place[10] != 4 { return count }
        }
        return nil
    }
}

/// Counts on one interface what should not be there.
package enum FuzzWatch {
    package struct Findings: Sendable {
        /// Frames with the marker: they crossed.
        package var crossed = 0
        /// IP packets that the router sent here, other than to `expectedPort`: it answered.
        package var answered = 0
        /// The first of them, in hexadecimal.
        package var first: String?
        /// What kind of packets the answers were.
        package var kinds: [String: Int] = [:]
    }

    /// Watches until `isOver`, and a moment more.
    package static func run(
        interface: String, router: [UInt8]?, expectedPort: UInt16, isReady: () -> Void,
        isOver: () -> Bool
    ) throws -> Findings {
        let wire = try FuzzWire(interface: interface)
        var findings = Findings()
        var buffer = [UInt8](repeating: 0, count: 65536)
        isReady()
        while true {
            guard let count = wire.receive(&buffer) else {
                if isOver() { return findings }
                continue
            }
            guard count >= 34 else { continue }
            let type = Int(buffer[12]) << 8 | Int(buffer[13])
            guard type == 0x0800 || type == 0x86dd else { continue }
            let hasMarker = contains(buffer, count)
            let isRouters = router.map { Array(buffer[6..<12]) == $0 } ?? false
            let isExpected = port(buffer, count) == expectedPort
            guard hasMarker || isRouters && !isExpected else { continue }
            // An ICMP message of the router itself may quote or echo the frame: that is an answer.
            if hasMarker, !isRoutersICMP(buffer) {
                findings.crossed += 1
            } else {
                findings.answered += 1
                findings.kinds[kind(buffer), default: 0] += 1
            }
            if findings.first == nil {
                findings.first = buffer[0..<min(count, 96)].map { String($0, radix: 16) }
                    .joined(separator: " ")
            }
        }
    }

    /// Such as `icmp-0`, `tcp-reset`, `udp`.
    private static func kind(_ frame: [UInt8]) -> String {
        guard frame[12] == 0x08 else { return "ipv6" }
        let payload = 14 + Int(frame[14] & 15) * 4
        switch frame[23] {
        case 1 where frame.count > payload: return "icmp-\(frame[payload])"
        case 6 where frame.count > payload + 13:
            return frame[payload + 13] & 4 != 0 ? "tcp-reset" : "tcp"
        case 17: return "udp"
        default: return "protocol-\(frame[23])"
        }
    }

    /// From one of the router's addresses in the site.
    private static func isRoutersICMP(_ frame: [UInt8]) -> Bool {
        guard frame[12] == 0x08, frame[23] == 1 else { return false }
        return frame[26] == 10 && frame[28] == 0 && frame[29] == 2
            || Array(frame[26..<30]) == [192, 168, 140, 1]
    }

    private static func port(_ frame: [UInt8], _ count: Int) -> UInt16? {
        let offset = 14 + Int(frame[14] & 15) * 4
        guard count >= offset + 4, frame[23] == 6 else { return nil }
        return UInt16(frame[offset + 2]) << 8 | UInt16(frame[offset + 3])
    }

    private static func contains(_ buffer: [UInt8], _ count: Int) -> Bool {
        let marker = FuzzPackets.marker
        return buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            var offset = 0
            while count - offset >= marker.count,
                let found = memchr(
                    base + offset, Int32(marker[0]), count - offset - marker.count + 1)
            {
                if memcmp(found, marker, marker.count) == 0 { return true }
                offset = base.distance(to: UnsafeRawPointer(found)) + 1
            }
            return false
        }
    }
}
