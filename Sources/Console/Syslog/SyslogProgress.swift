/// How far the syslog server has the event log: what comes next, and what can never come.
package struct SyslogProgress: Equatable, Sendable {
    /// The number of the last entry that the server's host has taken; 0: none.
    package private(set) var sent: UInt64

    package init(sent: UInt64) { self.sent = sent }

    /// What is read from the file: a number on a line. Nil: it is none.
    package init?(file text: String) {
        guard let number = UInt64(text.split(separator: "\n").first ?? "") else { return nil }
        sent = number
    }

    package var file: [UInt8] { Array("\(sent)\n".utf8) }

    /// The log's newest entry is this one: whether there is something to send.
    ///
    /// A log that ends before what was sent has been begun anew, and is sent from its beginning.
    package mutating func isBehind(newest: UInt64) -> Bool {
        if newest < sent { sent = 0 }
        return newest > sent
    }

    /// The oldest entry that is still there; returns how many are not that should have been sent.
    package mutating func begins(at oldest: UInt64) -> UInt64 {
        // Who has sent nothing yet has lost nothing: the server was not there.
        guard oldest > sent + 1 else { return 0 }
        let lost = sent == 0 ? 0 : oldest - sent - 1
        sent = oldest - 1
        return lost
    }

    package mutating func delivered(through number: UInt64) { sent = max(sent, number) }
}
