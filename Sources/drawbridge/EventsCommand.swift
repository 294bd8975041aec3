import ArgumentParser
import Console
import Glibc
import Linux

/// `drawbridge events`
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Say what has happened: switch turns, failovers, VPN sessions, refused packets.",
        discussion: "Reads the event log itself, so it works also while the daemon does not run.",
        subcommands: [List.self, Verify.self], defaultSubcommand: List.self)

    struct Place: ParsableArguments {
        @Option(help: "The directory of the event log: \"events\" in [device] state.")
        var directory = "/var/lib/drawbridge/events"

        func read(after number: UInt64 = 0, limit: Int = .max) throws -> [EventFiles.Line] {
            do {
                return try EventFiles.read(directory, after: number, limit: limit)
            } catch {
                Terminal.error.print(
                    "\(error); has the daemon run here? Another [device] state needs --directory")
                throw ExitCode(1)
            }
        }
    }

    /// `drawbridge events [list]`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Print the newest events, the oldest of them first.")

        @OptionGroup var place: Place

        @Flag(help: "Print each entry as one line of JSON.")
        var json = false

        @Flag(help: "Go on printing what happens until Ctrl-C.")
        var follow = false

        @Option(help: "How many, 1 to 100000.")
        var last = 50

        func validate() throws {
            guard (1...100_000).contains(last) else {
                throw ValidationError("--last is 1 to 100000")
            }
        }

        func run() async throws {
            var number = show(try place.read(limit: last)) ?? 0
            while follow, !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                number = show(try place.read(after: number)) ?? number
            }
        }

        /// Returns the number of the last one.
        private func show(_ lines: [EventFiles.Line]) -> UInt64? {
            var last: UInt64?
            let offset = SystemClock().utcOffsetSeconds()
            for line in lines {
                switch line {
                case .entry(let entry):
                    last = entry.number
                    if json, let bytes = try? entry.line() {
                        Terminal.output.write(String(decoding: bytes, as: UTF8.self))
                    } else {
                        Terminal.output.print(entry.text(offsetSeconds: offset))
                    }
                case .damaged(let file, let line):
                    Terminal.error.print("\(file):\(line): cannot be read as an entry")
                }
            }
            return last
        }
    }

    /// `drawbridge events verify`
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check that no entry was changed, removed from the middle or put in.")

        @OptionGroup var place: Place

        func run() throws {
            var chain = EventChain()
            for line in try place.read() {
                let trouble: String?
                switch line {
                case .entry(let entry): trouble = chain.follow(entry)
                case .damaged(let file, let line):
                    trouble = "\(file):\(line): cannot be read as an entry"
                }
                if let trouble {
                    Terminal.error.print("event log: \(trouble)")
                    throw ExitCode(1)
                }
            }
            guard let first = chain.first, let last = chain.last else {
                Terminal.output.print("event log: empty")
                return
            }
            let begin = first.number == 1 ? "" : " (older ones made room)"
            Terminal.output.print(
                "event log: whole, entries \(first.number) to \(last.number)\(begin)")
            // Who notes it elsewhere can tell later that nothing was cut off the end.
            Terminal.output.print("last hash: \(last.hash)")
        }
    }
}
