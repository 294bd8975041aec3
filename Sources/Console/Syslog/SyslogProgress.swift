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

    /// These entries are there now, in order; returns how many before and between them never will be.
    ///
    /// Who has sent nothing yet has lost nothing: the server was not there.
    package mutating func delivered(_ numbers: some Sequence<UInt64>) -> UInt64 {
        var lost: UInt64 = 0
        for number in numbers where number > sent {
            if sent > 0 { lost += number - sent - 1 }
            sent = number
        }
        return lost
    }

    /// What the log should hold after what was sent cannot be read; returns how many that are.
    package mutating func passOver(through newest: UInt64) -> UInt64 {
        guard newest > sent else { return 0 }
        defer { sent = newest }
        return newest - sent
    }
}
