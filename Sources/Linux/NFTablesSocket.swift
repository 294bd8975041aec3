import Glibc

/// A socket for nf_tables transactions, kept open: opening one waits for the kernel's RCU (4…16 ms).
///
/// Its owner serialises the calls. A commit allocates nothing.
package struct NFTablesSocket: ~Copyable, Sendable {
    private let socket: NetlinkSocket
    private var sequence: UInt32 = 1
    private var buffer = [UInt8](repeating: 0, count: 8192)

    package init() throws(SystemError) {
        socket = try NetlinkSocket(family: 12)
        OwnNFTables.add(portID: socket.portID)
    }

    /// Sends a batch and waits for what the kernel says of its last message: either all changes are made, or none.
    ///
    /// Throws the first refusal, as `cannot <attempted>: <reason>`.
    package mutating func commit(
        _ batch: inout NFTablesBatch, _ attempted: @autoclosure () -> String
    ) throws(SystemError) {
        let first = sequence
        sequence &+= UInt32(batch.messages + 2)
        batch.number(from: first)
        let raw = socket.descriptor
        _ = try check(attempted()) {
            batch.bytes.withUnsafeBytes { send(raw, $0.baseAddress, $0.count, 0) }
        }
        var isAnswered = batch.messages == 0
        var refusal: Int32 = 0
        while !isAnswered {
            let count = try check(attempted()) {
                buffer.withUnsafeMutableBytes { recv(raw, $0.baseAddress, $0.count, 0) }
            }
            var offset = 0
            // An NLMSG_ERROR is a header of 16 bytes, the error, and the header it answers.
            while offset + 20 <= count {
                let length = Int(number(at: offset))
                guard length >= 16, offset + length <= count else { break }
                let index = number(at: offset + 8) &- first
                if number(at: offset + 4) & 0xffff == 2, index <= UInt32(batch.messages) {
                    let code = -Int32(bitPattern: number(at: offset + 16))
                    if refusal == 0 { refusal = code }
                    // An error for the batch as a whole (no permission, no memory) names its begin,
                    // and may be the only answer.
                    isAnswered = isAnswered || index == 0 || index == UInt32(batch.messages)
                }
                offset += (length + 3) & ~3
            }
        }
        if refusal != 0 { throw SystemError(attempted(), code: refusal) }
    }

    /// Whether an element is in a set of an `inet` table and has not expired.
    package mutating func contains(table: String, set: String, key: [UInt8])
        throws(SystemError) -> Bool
    {
        var message = NetlinkMessage()
        // NFT_MSG_GETSETELEM, NLM_F_REQUEST | NLM_F_ACK
        message.begin(type: NFTablesBatch.type(13), flags: 0x005, sequence: sequence)
        sequence &+= 1
        NFTablesBatch.elements(&message, table, set, [NFTablesElement(key: key)])
        message.end()
        let own = sequence &- 1
        try socket.send(message.bytes)
        while true {
            for reply in try socket.receive() where reply.sequence == own {
                guard let code = reply.errorCode else { continue }
                if code == 0 { return true }
                if code == -ENOENT { return false }
                throw SystemError("look into set \(set) of table inet \(table)", code: -code)
            }
        }
    }

    private func number(at offset: Int) -> UInt32 {
        buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }
}
