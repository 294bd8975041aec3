import Base
import Linux
import Testing

/// Bytes as `strace nft` 1.0.6 shows them, apart from the acknowledgement flag that we set.
@Suite struct BatchTests {
    @Test("adding a lease to a set: the bytes that nft sends")
    func leaseBytes() {
        let element = NFTablesElement(
            key: NFTablesElement.key("vpn0", "br-lan"), timeout: .milliseconds(500))
        let batch = NFTablesBatch(table: "drawbridge", [.add(set: "gate", [element])])
        let ifname: (String) -> [UInt8] = { name in
            Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
        }
        var expected: [UInt8] = [
            0x14, 0, 0, 0, 0x10, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // NFNL_MSG_BATCH_BEGIN, seq 0
            0, 0, 0, 10,  // AF_UNSPEC, version 0, NFNL_SUBSYS_NFTABLES
            // NEWSETELEM, 108 bytes. nft adds NFTA_SET_ELEM_LIST_SET_ID, 8 bytes that the kernel needs
            // only for a set which is made in the same transaction.
            0x6c, 0, 0, 0, 0x0c, 0x0a, 0x05, 0x04, 1, 0, 0, 0, 0, 0, 0, 0,
            1, 0, 0, 0,  // NFPROTO_INET
            0x0f, 0, 1, 0,  // NFTA_SET_ELEM_LIST_TABLE
        ]
        expected += Array("drawbridge".utf8) + [0, 0]  // zero-terminated, padded to 4
        expected += [0x09, 0, 2, 0] + Array("gate".utf8) + [0, 0, 0, 0]  // …_LIST_SET
        expected += [0x3c, 0, 3, 0x80, 0x38, 0, 1, 0x80]  // …_LIST_ELEMENTS, NFTA_LIST_ELEM
        expected += [0x0c, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xf4]  // …_TIMEOUT 500 ms, big-endian
        expected += [0x28, 0, 1, 0x80, 0x24, 0, 1, 0]  // …_KEY, NFTA_DATA_VALUE of 32 bytes
        expected += ifname("vpn0") + ifname("br-lan")
        expected += [
            0x14, 0, 0, 0, 0x11, 0, 0x01, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10,  // BATCH_END
        ]
        #expect(batch.bytes == expected)
        #expect(batch.messages == 1)
    }

    @Test("only the last message of a batch asks for an acknowledgement")
    func acknowledgedOnce() {
        let element = NFTablesElement(key: [1, 2, 3, 4], timeout: .seconds(1))
        let batch = NFTablesBatch(
            table: "t",
            [.add(set: "s", [element]), .delete(set: "s", [element]), .add(set: "s", [element])])
        let flags = NetlinkReply.parse(batch.bytes).map(\.flags)
        // NLM_F_REQUEST 0x001, NLM_F_ACK 0x004, NLM_F_CREATE 0x400
        #expect(flags == [0x001, 0x401, 0x001, 0x405, 0x001])
    }

    @Test("a renewal says the time-out twice where the kernel takes it in place")
    func renewal() {
        let element = NFTablesElement(key: [1, 2, 3, 4], timeout: .milliseconds(500))
        let short = NFTablesBatch(
            table: "t", NFTablesBatch.renewal(of: "s", [element], inPlace: true))
        let long = NFTablesBatch(
            table: "t", NFTablesBatch.renewal(of: "s", [element], inPlace: false))
        #expect(short.messages == 1 && long.messages == 3)
        // NFTA_SET_ELEM_TIMEOUT and …_EXPIRATION
        let times: [UInt8] = [
            0x0c, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xf4, 0x0c, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0x01,
            0xf4,
        ]
        #expect(short.bytes.firstRange(of: times) != nil)
        #expect(long.bytes.firstRange(of: times) == nil)
        #expect(NFTablesBatch.renewal(of: "s", []).isEmpty)
    }

    @Test("kernels are older or newer by number, and what is no version is older than all")
    func releases() {
        #expect(KernelRelease("6.9.1") < KernelRelease("6.12.9-amd64"))
        #expect(KernelRelease("6.12-rc1") == KernelRelease(6, 12))
        #expect(KernelRelease("7") > KernelRelease("6.99"))
        #expect(
            KernelRelease("") < KernelRelease("1.0") && KernelRelease("?") < KernelRelease(1, 0))
        #expect(KernelRelease.running > KernelRelease(3, 0))
    }

    @Test("a deletion names the key alone, and renumbering touches nothing else")
    func deletion() {
        let element = NFTablesElement(key: [1, 2, 3, 4], timeout: .seconds(1))
        var batch = NFTablesBatch(table: "t", [.delete(set: "s", [element])])
        let before = batch.bytes
        let keyOnly = NFTablesBatch(
            table: "t", [.delete(set: "s", [NFTablesElement(key: [1, 2, 3, 4])])])
        #expect(before == keyOnly.bytes)
        batch.number(from: 0x0102_03ff)
        let changed = zip(before, batch.bytes).enumerated().filter { $0.1.0 != $0.1.1 }
        #expect(Set(changed.map(\.offset)).count <= 12)
        #expect(Array(batch.bytes[8..<12]) == [0xff, 0x03, 0x02, 0x01])
        #expect(Array(batch.bytes[28..<32]) == [0x00, 0x04, 0x02, 0x01])
    }

    @Test("interface names fill 16 bytes each and never run into each other")
    func interfaceKeys() {
        let key = NFTablesElement.key("abcdefghijklmnopqrst", "b")
        #expect(key.count == 32)
        #expect(key[15] == 0)
        #expect(key[16] == UInt8(ascii: "b"))
    }
}
