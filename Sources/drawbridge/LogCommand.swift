import ArgumentParser
import Base
import Glibc
import Recorder
import Synchronization

/// `drawbridge log`
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Look at the recorded data, also while the daemon records.",
        discussion: """
            Nothing is changed but by `repair`, which wants the daemon stopped, and by `follow` and `forget`, which ask \
            the daemon to keep or drop a cursor.
            """,
        subcommands: [
            LogStats.self, LogTail.self, LogQuery.self, LogExport.self, LogVerify.self,
            LogRepair.self, LogFollow.self, LogForget.self,
        ])
}

/// Where the store is; shared by all of `drawbridge log`.
struct LogPlace: ParsableArguments {
    @Option(help: "The recorder's directory.")
    var directory = "/var/lib/drawbridge/recorder"

    func open() throws -> LogReader {
        Interrupt.watch()
        do {
            return try LogReader(path: directory)
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }
}

/// Where records are read from; shared by `query`, `export` and `verify`.
struct LogSource: ParsableArguments {
    @OptionGroup var place: LogPlace
    @Option(help: "A folder of blocks that were delivered as they are, in place of a store.")
    var blocks: String?

    func open() throws -> any RecordReading {
        guard let blocks else { return try place.open() }
        Interrupt.watch()
        do {
            return try BlockFolder(path: blocks)
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }
}

/// Which records; shared by `query` and `export`.
struct LogFilter: ParsableArguments {
    @Option(help: "Only this tag.") var tag: String?
    @Option(help: "Only this source.") var source: String?
    @Option(help: "From this time on, UTC: 2026-11-21 or 2026-11-21T12:30:00Z.") var from: String?
    @Option(help: "Up to this time, UTC.") var to: String?

    func validate() throws {
        for time in [from, to] {
            if let time, WallText.parse(time) == nil {
                throw ValidationError("\"\(time)\" is no time; write 2026-11-21T12:30:00Z")
            }
        }
    }

    var filter: RecordFilter {
        var filter = RecordFilter(source: source, tag: tag)
        if let from = from.flatMap(WallText.parse) { filter.from = from }
        if let to = to.flatMap(WallText.parse) { filter.through = to }
        return filter
    }
}

struct LogStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Say what the store holds.")
    @OptionGroup var place: LogPlace
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let reader = try place.open()
        if json {
            let classes = reader.classes.map {
                "\"\($0.name)\":{\"segments\":\($0.segments),\"bytes\":\($0.bytes),"
                    + "\"records\":\($0.records)}"
            }
            let cursors = reader.cursors.map {
                "\"\($0.name)\":{\"sequence\":\($0.sequence),\"lost\":\($0.lost)}"
            }
            Terminal.output.print(
                "{\"first\":\(reader.firstSequence),\"last\":\(reader.lastSequence),"
                    + "\"cursor\":\(reader.cursor),\"lost\":\(reader.lost),"
                    + "\"fileBytes\":\(reader.fileBytes),"
                    + "\"cursors\":{\(cursors.joined(separator: ","))},"
                    + "\"classes\":{\(classes.joined(separator: ","))}}")
            return
        }
        Terminal.output.print(
            "records \(reader.firstSequence) to \(reader.lastSequence), delivered up to "
                + "\(reader.cursor), \(reader.lost) lost in the store's life")
        for cursor in reader.cursors {
            Terminal.output.print(
                "cursor \(cursor.name): read up to \(cursor.sequence), \(cursor.lost) lost")
        }
        Terminal.output.print("files \(ByteSize(bytes: reader.fileBytes))")
        for one in reader.classes {
            let since = one.oldest.map { ", since " + WallText.format($0) } ?? ""
            Terminal.output.print(
                "\(one.name): \(one.records) records in \(ByteSize(bytes: one.bytes)), "
                    + "\(one.segments) segments\(since)")
        }
    }
}

struct LogTail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Print the newest records.")
    @OptionGroup var place: LogPlace
    @Option(name: .shortAndLong, help: "How many.") var number = 20

    func validate() throws {
        guard (1...100_000).contains(number) else {
            throw ValidationError("--number takes 1 to 100000")
        }
    }

    func run() throws {
        var reader = try place.open()
        let last = reader.lastSequence
        let start = last > UInt64(number) ? last - UInt64(number) : 0
        try LogPrinter.print(&reader, after: start, RecordFilter(), RecordText.line)
    }
}

struct LogQuery: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Print the records of a tag, a source or a time.")
    @OptionGroup var place: LogSource
    @OptionGroup var chosen: LogFilter
    @Flag(help: "Print a JSON object a line.") var json = false

    func run() throws {
        var reader = try place.open()
        try LogPrinter.print(
            &reader, after: 0, chosen.filter, json ? RecordText.json : RecordText.line)
    }
}

struct LogExport: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, jsonl }

    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write records for other programs to standard output.")
    @OptionGroup var place: LogSource
    @OptionGroup var chosen: LogFilter
    @Option(help: "csv (RFC 4180) or jsonl (a JSON object a line).") var format = Format.csv

    func run() throws {
        var reader = try place.open()
        if format == .csv { Terminal.output.print(RecordText.csvHeader) }
        try LogPrinter.print(
            &reader, after: 0, chosen.filter, format == .csv ? RecordText.csv : RecordText.json)
    }
}

struct LogVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every block and check it. Exit status 1 if any is bad.")
    @OptionGroup var place: LogSource

    func run() throws {
        let reader = try place.open()
        var bar = ProgressBar("verify")
        let verdict = try reader.verify { bar.show($0) }
        bar.clear()
        try Interrupt.check()
        Terminal.output.print(
            "\(verdict.records) records in \(verdict.blocks) blocks, "
                + "\(ByteSize(bytes: verdict.bytes)): \(verdict.damaged) damaged, "
                + "\(verdict.unchained) out of their chain")
        if verdict.damaged + verdict.unchained > 0 { throw ExitCode(1) }
    }
}

struct LogRepair: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract:
            "Find what is damaged, record it as lost, and mark it; the daemon must be stopped.")
    @OptionGroup var place: LogPlace

    func run() throws {
        Interrupt.watch()
        do {
            var reader = try LogReader(repairing: place.directory)
            let before = reader.lost
            var bar = ProgressBar("repair")
            var after: UInt64 = 0
            while let last = try reader.batch(after: after, limit: 10_000).last {
                after = last.sequence
                guard bar.show(Double(after) / Double(max(1, reader.lastSequence))) else { break }
            }
            bar.clear()
            try reader.sync()
            try Interrupt.check()
            Terminal.output.print(
                "\(reader.damagedBlocks) damaged places, \(reader.lost - before) records newly told as lost"
            )
        } catch let error as ExitCode {
            throw error
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }
}

/// Prints records as they are read: memory stays the same, however many there are.
enum LogPrinter {
    static func print(
        _ reader: inout some RecordReading, after start: UInt64, _ filter: RecordFilter,
        _ text: (Record) -> String
    ) throws {
        var after = start
        var bar = ProgressBar("read", isPrinting: true)
        while true {
            let batch = try reader.batch(after: after, limit: 10_000, filter: filter)
            guard let last = batch.last else { break }
            after = last.sequence
            let lines = batch.filter { filter.accepts($0.reading) }.map { text($0) + "\n" }
            if !lines.isEmpty { Terminal.output.write(lines.joined()) }
            guard bar.show(Double(after) / Double(max(1, reader.lastSequence))) else { break }
        }
        bar.clear()
        if let folder = reader as? BlockFolder, !folder.damaged.isEmpty {
            Terminal.error.print(
                "left out, damaged: \(folder.damaged.sorted().joined(separator: ", "))")
        }
        try Interrupt.check()
    }
}

/// How far long work is, on a terminal that is not taken by the output.
struct ProgressBar {
    private let title: String
    private var shown = -1
    private let isWanted: Bool

    /// `isPrinting`: records are printed meanwhile, and the bar must not stand among them.
    init(_ title: String, isPrinting: Bool = false) {
        self.title = title
        isWanted = Terminal.error.isTerminal && !(isPrinting && Terminal.output.isTerminal)
    }

    /// False once somebody has pressed Ctrl-C.
    mutating func show(_ share: Double) -> Bool {
        let percent = Int(min(max(share, 0), 1) * 100)
        if isWanted, percent != shown {
            shown = percent
            let full = percent * 40 / 100
            let bar = String(repeating: "#", count: full) + String(repeating: ".", count: 40 - full)
            Terminal.error.write("\r\(title) [\(bar)] \(percent) %")
        }
        return !Interrupt.isPressed
    }

    func clear() {
        if isWanted, shown >= 0 { Terminal.error.write("\r\u{1b}[K") }
    }
}

/// Ctrl-C: the work at hand ends at the next record, and the exit status is 130.
enum Interrupt {
    private static let pressed = Atomic<Bool>(false)

    static var isPressed: Bool { pressed.load(ordering: .relaxed) }

    static func watch() {
        signal(SIGINT) { _ in Interrupt.pressed.store(true, ordering: .relaxed) }
    }

    static func check() throws {
        if isPressed { throw ExitCode(130) }
    }
}
