/// A question for a name's address, and whether a datagram answers it (RFC 1035 §4.1).
struct NameQuestion {
    let identifier: UInt16
    let bytes: [UInt8]

    init(name: String, identifier: UInt16) {
        self.identifier = identifier
        let labels = name.split(separator: ".").flatMap {
            [UInt8(min(63, $0.utf8.count))] + $0.utf8.prefix(63)
        }
        bytes =
            [UInt8(identifier >> 8), UInt8(identifier & 255), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            + labels + [0, 0, 1, 0, 1]
    }

    /// nil: an answer; otherwise why it is none. Reads the header only.
    func flaw(in answer: [UInt8]) -> String? {
        guard answer.count >= 12, answer[0] == bytes[0], answer[1] == bytes[1],
            answer[2] & 0x80 != 0
        else { return "what answers there is no name server" }
        switch answer[3] & 15 {
        case 0: return answer[6] == 0 && answer[7] == 0 ? "the name has no address there" : nil
        case 2: return "the server says that it failed (SERVFAIL)"
        case 3: return "the server says that there is no such name"
        case 5: return "the server refuses to answer"
        case let code: return "the server answers with code \(code)"
        }
    }
}
