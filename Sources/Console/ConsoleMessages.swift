import FoundationEssentials

/// What the command line asks the daemon: one JSON object on one line, for example `{"command":"status"}`.
package struct ConsoleRequest: Codable, Equatable, Sendable {
    package var command: String
    package var arguments: [String: String]?
    /// Who asks: the kernel's word, never the caller's own.
    package var userID: UInt32?

    private enum CodingKeys: String, CodingKey { case command, arguments }

    package init(command: String, arguments: [String: String]? = nil) {
        self.command = command
        self.arguments = arguments
    }

    package static let status = ConsoleRequest(command: "status")
    package static let metrics = ConsoleRequest(command: "metrics")
    package static let doctor = ConsoleRequest(command: "doctor")
    package static let egress = ConsoleRequest(command: "egress")
    package static let confirm = ConsoleRequest(command: "confirm")
    package static let config = ConsoleRequest(command: "config")
    package static let drillCommand = "uplinks drill"
    /// `uplink`: nil: all that wait for their turn.
    package static func drill(_ uplink: String?) -> ConsoleRequest {
        ConsoleRequest(command: drillCommand, arguments: uplink.map { ["uplink": $0] })
    }

    /// What became of a USB stick, for the event log; heard from root only.
    package static func stick(who: String, _ what: String) -> ConsoleRequest {
        ConsoleRequest(command: stickCommand, arguments: ["who": who, "what": what])
    }
    package static let stickCommand = "stick"
}

/// What the daemon answers: one JSON object on one line. `error` is set when it could not do what was asked.
package struct ConsoleReply: Codable, Equatable, Sendable {
    package var error: String?
    package var status: StatusDocument?
    package var text: String?
    package var doctor: DoctorReport?
    package var egress: EgressTable?
    package var config: ConsoleConfig?
    package var records: ConsoleRecords?
    package var drill: DrillReport?

    package init(
        error: String? = nil, status: StatusDocument? = nil, text: String? = nil,
        doctor: DoctorReport? = nil, egress: EgressTable? = nil, config: ConsoleConfig? = nil,
        records: ConsoleRecords? = nil, drill: DrillReport? = nil
    ) {
        self.drill = drill
        self.error = error
        self.status = status
        self.text = text
        self.doctor = doctor
        self.egress = egress
        self.config = config
        self.records = records
    }

    /// The answers to the requests that need nothing but the status.
    package init(to request: ConsoleRequest, status: StatusDocument) {
        switch request.command {
        case "status": self.init(status: status)
        case "metrics": self.init(text: PrometheusText.render(status))
        default:
            self.init(
                error:
                    "unknown request \"\(request.command)\"; known are status, metrics, doctor, "
                    + "egress, config, confirm, uplinks drill, log follow and log forget")
        }
    }
}

/// The config files that run, and what the daemon last found where they lie.
package struct ConsoleConfig: Codable, Equatable, Sendable {
    package struct File: Codable, Equatable, Sendable {
        package var name: String
        package var text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    package var files: [File]
    /// In the history; nil: it could not be kept there.
    package var number: Int?
    /// How often the files were read since the daemon began: who wrote one can tell that it was seen.
    package var reads: Int
    /// Until what runs is taken back unless it is confirmed; nil: it is permanent.
    package var trialSeconds: Int?
    /// What is wrong with the files that lie there; empty: they are what runs.
    package var refused: [String]

    package init(
        files: [File], number: Int?, reads: Int, trialSeconds: Int?, refused: [String]
    ) {
        self.files = files
        self.number = number
        self.reads = reads
        self.trialSeconds = trialSeconds
        self.refused = refused
    }
}

/// JSON on one line with sorted keys.
package enum ConsoleJSON {
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    package static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}

/// The bounds of a conversation.
package enum ConsoleLimits {
    package static let requestBytesMax = 64 << 10
    package static let replyBytesMax = 4 << 20
    package static let connectionsMax = 16
    /// Records of one reply, and the bytes of their texts after which it takes no more: a control character takes six
    /// bytes in the reply, and one more record may have 64 KiB.
    package static let recordsMax = 1000
    package static let recordsBytesMax = 512 << 10
    /// For the peer to send its line, and again to take ours.
    package static let patience = Duration.seconds(5)
}
