import Base
import TestSupport
import Testing

@Suite("Addresses, networks and ports") struct AddressTests {
    @Test(arguments: [
        ("0.0.0.0", 0), ("255.255.255.255", UInt32.max), ("192.168.140.10", 0xc0a8_8c0a),
        ("1.1.1.1", 0x0101_0101),
    ])
    func addresses(text: String, value: UInt32) {
        #expect(IPv4Address(text)?.value == value)
        #expect(IPv4Address(value: value).description == text)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1..2.3", "1.2.3.4 ",
        "+1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4\0", "١.2.3.4", "::1", "1.2.3.1000",
    ])
    func notAddresses(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test("bytes and text read back as the same address")
    func addressesReadBack() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<10_000 {
            let address = IPv4Address(value: UInt32.random(in: 0...UInt32.max, using: &random))
            #expect(IPv4Address(address.description) == address)
            #expect(IPv4Address(bytes: address.bytes) == address)
        }
        #expect(IPv4Address(bytes: [1, 2, 3]) == nil)
        #expect(IPv4Address(bytes: [1, 2, 3, 4, 5]) == nil)
        #expect(IPv4Address(value: 1) < IPv4Address(value: 2))
    }

    @Test(arguments: ["10.0.0.0/8", "192.168.140.0/24", "0.0.0.0/0", "1.2.3.4/32", "10.8.0.4/30"])
    func networks(text: String) {
        #expect(CIDR(text)?.description == text)
    }

    @Test(arguments: [
        "", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8/8", "10.0.0.0/ 8", "/8", "10.0.0.0/", "10.0/8", "fe80::/64",
    ])
    func notNetworks(text: String) {
        #expect(CIDR(text) == nil)
    }

    @Test func containing() throws {
        let network = try #require(CIDR("10.8.0.4/30"))
        let base = network.network.value
        #expect((base..<base + 4).allSatisfy { network.contains(IPv4Address(value: $0)) })
        #expect(!network.contains(IPv4Address(value: base - 1)))
        #expect(!network.contains(IPv4Address(value: base + 4)))
        let address = IPv4Address(value: base + 3)
        #expect(CIDR(containing: address, prefixLength: 30) == network)
        #expect(CIDR(containing: address, prefixLength: 33) == nil)
        #expect(CIDR(containing: address, prefixLength: -1) == nil)
        let everything = try #require(CIDR("0.0.0.0/0"))
        #expect(everything.contains(IPv4Address(value: .max)))
    }

    @Test("networks overlap exactly when they share an address")
    func overlapping() throws {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<10_000 {
            let pair = try (0..<2).map { _ in
                let address = IPv4Address(value: UInt32.random(in: 0..<64, using: &random))
                return try #require(
                    CIDR(containing: address, prefixLength: Int.random(in: 27...32, using: &random))
                )
            }
            let shares = (UInt32(0)..<64).map { IPv4Address(value: $0) }.contains { address in
                pair.allSatisfy { $0.contains(address) }
            }
            #expect(pair[0].overlaps(pair[1]) == shares)
            #expect(pair[1].overlaps(pair[0]) == shares)
        }
    }

    @Test(arguments: ["tcp/443", "udp/1194", "tcp/1", "udp/65535"])
    func ports(text: String) {
        #expect(TransportPort(text)?.description == text)
    }

    @Test(arguments: [
        "", "443", "tcp", "tcp/", "tcp/0", "tcp/65536", "tcp/+443", "tcp/0443", "TCP/443",
        "sctp/443", "tcp/443/", "tcp:443", "tcp/ 443", "/443",
    ])
    func notPorts(text: String) {
        #expect(TransportPort(text) == nil)
    }

    @Test func protocolNumbers() {
        #expect(TransportProtocol.tcp.number == 6)
        #expect(TransportProtocol.udp.number == 17)
    }
}
