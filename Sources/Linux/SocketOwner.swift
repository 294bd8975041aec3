import Base
import Glibc

/// Whose a local UDP socket is, as `/proc` tells (proc_net(5)).
package struct SocketOwner: Equatable, Sendable {
    package var uid: UInt32
    package var inode: UInt64

    /// Most bytes of the kernel's table that are read: some 8,000 sockets.
    private static let tableBytesMax = 1 << 20
    /// Most processes, and most descriptors of one, that are looked through for a program.
    private static let processesMax = 4096
    private static let descriptorsMax = 1024

    /// The owner of the socket that a datagram of this machine came from; nil: it is gone, or cannot be told.
    package static func find(_ peer: DatagramSocket.Peer) -> SocketOwner? {
        for name in ["udp", "udp6"] {
            guard
                let table = try? SmallFile.readText(
                    "/proc/thread-self/net/\(name)", bytesMax: tableBytesMax)
            else { continue }
            if let owner = find(peer, in: table) { return owner }
        }
        return nil
    }

    /// The same in the text of such a table.
    static func find(_ peer: DatagramSocket.Peer, in table: String) -> SocketOwner? {
        // The address stands there as the number that its bytes make in this machine's order.
        let number = hex(UInt32(bigEndian: peer.address.value), digits: 8)
        let port = ":" + hex(UInt32(peer.port), digits: 4)
        var unbound: SocketOwner?
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count >= 10, fields[1].hasSuffix(port), let uid = UInt32(fields[7]),
                let inode = UInt64(fields[9])
            else { continue }
            let address = fields[1].dropLast(port.count)
            let owner = SocketOwner(uid: uid, inode: inode)
            if address.hasSuffix(number) { return owner }
            if address.allSatisfy({ $0 == "0" }) { unbound = owner }
        }
        return unbound
    }

    private static func hex(_ number: UInt32, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The name of the program that holds the socket; nil: `/proc` does not let us see it.
    package func program() -> String? {
        let wanted = "socket:[\(inode)]"
        for process in Self.names(in: "/proc", max: Self.processesMax, where: Self.isNumber) {
            let path = "/proc/\(process)"
            var about = stat()
            guard stat(path, &about) == 0, about.st_uid == uid else { continue }
            let descriptors = Self.names(
                in: path + "/fd", max: Self.descriptorsMax, where: Self.isNumber)
            for name in descriptors where Self.target(of: "\(path)/fd/\(name)") == wanted {
                guard let text = try? SmallFile.readText(path + "/comm") else { return nil }
                return text.split(separator: "\n").first.map(String.init)
            }
        }
        return nil
    }

    /// The user's name by `/etc/passwd`; nil: it is not there.
    package func user() -> String? {
        guard let text = try? SmallFile.readText("/etc/passwd") else { return nil }
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, UInt32(fields[2]) == uid { return String(fields[0]) }
        }
        return nil
    }

    private static func isNumber(_ name: String) -> Bool { UInt32(name) != nil }

    private static func names(
        in folder: String, max: Int, where isWanted: (String) -> Bool
    ) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < max, let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if isWanted(name) { names.append(name) }
        }
        return names
    }

    private static func target(of link: String) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(link, &buffer, buffer.count)
        let bytes = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
