import Base
import Console
import Recorder

/// In which form records go out: of `drawbridge log`, and of what it asks the daemon.
enum RecordForm: String, CaseIterable {
    case jsonl, csv, text

    func line(_ record: Record) -> String {
        switch self {
        case .jsonl: RecordText.json(record)
        case .csv: RecordText.csv(record)
        case .text: RecordText.line(record)
        }
    }
}

/// Gives readers besides the cloud their records.
struct CursorDesk: Sendable {
    let recorder: RecorderKeeperService

    /// Nil: the request is none for this desk.
    func answer(_ request: ConsoleRequest) async -> ConsoleReply? {
        let arguments = request.arguments ?? [:]
        do {
            switch request.command {
            case ConsoleRequest.followCommand: return try await follow(arguments)
            case ConsoleRequest.forgetCommand:
                let name = arguments["cursor"] ?? ""
                return try await recorder.forgetCursor(name)
                    ? ConsoleReply(text: "forgot the cursor \(name)")
                    : ConsoleReply(error: "there is no cursor \"\(name.prefix(63))\"")
            default: return nil
            }
        } catch {
            return ConsoleReply(error: "\(error)")
        }
    }

    private func follow(_ arguments: [String: String]) async throws -> ConsoleReply {
        let acknowledged = arguments["acknowledged"] ?? ""
        guard let name = arguments["cursor"],
            let form = RecordForm(rawValue: arguments["form"] ?? ""),
            let start = CursorStart(rawValue: arguments["from"] ?? ""),
            acknowledged.isEmpty || UInt64(acknowledged) != nil
        else {
            return ConsoleReply(
                error: "a reader says cursor, form (jsonl, csv, text), from (oldest, now) and "
                    + "acknowledged (a sequence, or nothing)")
        }
        let found = try await recorder.read(
            as: name, acknowledged: UInt64(acknowledged), from: start,
            limit: ConsoleLimits.recordsMax)
        var (lines, bytes): ([String], Int) = ([], 0)
        for record in found {
            guard bytes < ConsoleLimits.recordsBytesMax else { break }
            lines.append(form.line(record))
            bytes += lines.last?.utf8.count ?? 0
        }
        let last = lines.isEmpty ? nil : found[lines.count - 1].sequence
        return ConsoleReply(records: ConsoleRecords(lines: lines, last: last))
    }
}
