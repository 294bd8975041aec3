/// The first words of a session by MQTT 3.1.1, and what the broker says to them (sections 3.1 and 3.2).
struct MQTTGreeting: Equatable, Sendable {
    /// How long a client's name may be that every broker takes, in bytes.
    static let nameBytesMax = 23
    /// Before the answer has come to its end.
    static let answerBytes = 4

    /// The name must not be that of our own session, which the broker would end for it.
    var name: String

    /// Nothing is kept for it, nothing is said when it ends.
    var bytes: [UInt8] {
        let client = Array(name.utf8.prefix(Self.nameBytesMax))
        let rest: [UInt8] =
            [0, 4] + Array("MQTT".utf8) + [4, 0b10, 0, 30, 0, UInt8(client.count)] + client
        return [0x10, UInt8(rest.count)] + rest
    }

    /// DISCONNECT.
    static let farewell: [UInt8] = [0xe0, 0]

    enum Answer: Equatable, Sendable {
        case accepted
        /// In words.
        case refused(String)
        /// What answers is no broker.
        case strange
    }

    static func answer(_ bytes: [UInt8]) -> Answer {
        guard bytes.count >= answerBytes, bytes[0] == 0x20, bytes[1] == 2 else { return .strange }
        switch bytes[3] {
        case 0: return .accepted
        case 1: return .refused("it speaks another version")
        case 2: return .refused("it wants another name")
        case 3: return .refused("it is not available")
        case 4, 5: return .refused("it allows this identity no second session")
        case let code: return .refused("code \(code)")
        }
    }
}
