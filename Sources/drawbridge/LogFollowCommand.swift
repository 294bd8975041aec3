import ArgumentParser
import Base
import Console
import Linux
import Recorder

extension RecordForm: ExpressibleByArgument {}
extension CursorStart: ExpressibleByArgument {}

/// `drawbridge log follow`
struct LogFollow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow",
        abstract:
            "Print records as they come, each at least once, from where this cursor has stopped.",
        discussion: """
            The daemon keeps the cursor, which moves when records were written to standard output. What is overwritten \
            before that is told in records "drawbridge/recorder.loss/NAME". A reader that is away holds up nothing.
            """)

    @Option(help: "The cursor's name: 1 to 63 letters, digits, - _ or .")
    var cursor: String

    @Option(help: "Where a new cursor begins: oldest or now.")
    var from = CursorStart.oldest

    @Option(help: "jsonl (a JSON object a line), csv (RFC 4180) or text.")
    var format = RecordForm.jsonl

    @Flag(help: "End when everything was printed, instead of waiting for more.")
    var once = false

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func validate() throws {
        guard NamedCursor.isName(cursor) else { throw ValidationError("\(CursorRefusal.badName)") }
    }

    /// How often it is asked whether there is more.
    private static let pause = Duration.seconds(1)

    func run() async throws {
        Interrupt.watch()
        let client = ConsoleClient(path: socket)
        var printed: UInt64?
        if format == .csv { Terminal.output.print(RecordText.csvHeader) }
        do {
            while true {
                let request = ConsoleRequest.follow(
                    cursor: cursor, form: format.rawValue, from: from.rawValue,
                    acknowledged: printed)
                let records = try await client.send(request).records
                try Interrupt.check()
                guard let records, let last = records.last else {
                    if once { return }
                    try await SystemClock().sleep(until: SystemClock().now() + Self.pause)
                    continue
                }
                let text = records.lines.map { $0 + "\n" }.joined()
                // Whoever read this has gone: it stays unread.
                guard Terminal.output.write(text) else { throw ExitCode(1) }
                printed = last
            }
        } catch let error as ConsoleError {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }
}

/// `drawbridge log forget`
struct LogForget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Remove a cursor of `log follow`.")

    @Option(help: "The cursor's name; `drawbridge status` and `log stats` list them.")
    var cursor: String

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func run() async throws {
        do {
            let reply = try await ConsoleClient(path: socket).send(.forget(cursor: cursor))
            Terminal.output.print(reply.text ?? "")
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }
}
