extension ConsoleRequest {
    /// The next records of a cursor, in one of the forms of `drawbridge log`; `acknowledged`: up to where it has them.
    package static func follow(
        cursor: String, form: String, from: String, acknowledged: UInt64?
    ) -> ConsoleRequest {
        ConsoleRequest(
            command: followCommand,
            arguments: [
                "cursor": cursor, "form": form, "from": from,
                "acknowledged": acknowledged.map { "\($0)" } ?? "",
            ])
    }

    package static func forget(cursor: String) -> ConsoleRequest {
        ConsoleRequest(command: forgetCommand, arguments: ["cursor": cursor])
    }

    package static let followCommand = "log follow"
    package static let forgetCommand = "log forget"
}

/// Some records of the ring, a text each.
package struct ConsoleRecords: Codable, Equatable, Sendable {
    package var lines: [String]
    /// The sequence of the last one; nil: there are none now.
    package var last: UInt64?

    package init(lines: [String], last: UInt64?) {
        self.lines = lines
        self.last = last
    }
}
