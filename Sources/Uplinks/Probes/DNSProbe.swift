/// The question that shows whether a name server answers: the address of the root, which every one knows, and which tells
/// nobody anything (RFC 1035, section 4.1).
package struct DNSProbe: Equatable, Sendable {
    /// The root's name, type A, class IN.
    private static let question: [UInt8] = [0, 0, 1, 0, 1]

    package var identifier: UInt16

    package init(identifier: UInt16) { self.identifier = identifier }

    /// A standard query with recursion desired, and one question.
    package var query: [UInt8] {
        [UInt8(identifier >> 8), UInt8(identifier & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            + Self.question
    }

    /// Whether a datagram is a response to it, whatever it says: a refusal, too, comes from the other end.
    package func isAnswered(by datagram: [UInt8]) -> Bool {
        guard datagram.count >= 12, datagram[0] == UInt8(identifier >> 8),
            datagram[1] == UInt8(identifier & 0xff),
            // QR: a response; OPCODE 0: to a standard query.
            datagram[2] & 0xf8 == 0x80
        else { return false }
        switch (datagram[4], datagram[5]) {
        // Servers that refuse may leave the question out.
        case (0, 0): return true
        case (0, 1): return datagram.dropFirst(12).starts(with: Self.question)
        default: return false
        }
    }
}
