import Base
import Glibc
import Testing

@testable import Linux

@Suite("Socket owners")
struct SocketOwnerTests {
    private let table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
          101: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 100 2 0 0
          102: 00000000:9C40 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 200 2 0 0
          103: 0100007F:9C41 0100007F:0035 01 00000000:00000000 00:00000000 00000000    33        0 300 2 0 0
          104: 0200007F:9C41 0100007F:0035 01 00000000:00000000 00:00000000 00000000    34        0 301 2 0 0
          105: 0000000000000000FFFF00000100007F:9C42 00000000000000000000000000000000:0000 07 0:0 00:0 0 44 0 400 2 0 0
          106: 0100007F:9C43 nonsense
        """

    @Test("by address and port, by port alone where it is bound to none, and mapped into IPv6")
    func find() throws {
        func owner(_ port: UInt16) throws -> SocketOwner? {
            let address = try #require(IPv4Address("127.0.0.1"))
            return SocketOwner.find(.init(address: address, port: port), in: table)
        }
        #expect(try owner(40_000) == SocketOwner(uid: 1000, inode: 200))
        #expect(try owner(40_001) == SocketOwner(uid: 33, inode: 300))
        #expect(try owner(40_002) == SocketOwner(uid: 44, inode: 400))
        #expect(try owner(40_003) == nil)
        #expect(try owner(40_004) == nil)
    }

    @Test("the kernel tells our own socket, user and program")
    func own() throws {
        let loopback = try #require(IPv4Address("127.0.0.1"))
        let socket = try DatagramSocket(to: .init(address: loopback, port: 9))
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let raw = socket.descriptor
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(raw, $0, &length)
            }
        }
        let peer = DatagramSocket.Peer(
            address: loopback, port: UInt16(bigEndian: address.sin_port))
        let owner = try #require(SocketOwner.find(peer))
        #expect(owner.uid == getuid())
        let own = try SmallFile.readText("/proc/self/comm").split(separator: "\n").first
        #expect(owner.program() == own.map(String.init))
        if getuid() == 0 { #expect(owner.user() == "root") }
    }
}
