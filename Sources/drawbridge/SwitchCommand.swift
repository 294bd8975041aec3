import ArgumentParser
import Base
import Console
import Glibc
import Linux

/// `drawbridge switch`
struct SwitchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switch", abstract: "Where the key is, and how quickly it was obeyed.",
        subcommands: [Show.self, Test.self], defaultSubcommand: Show.self)

    struct Where: ParsableArguments {
        @Option(help: "The daemon's control socket.")
        var socket = "/run/drawbridge/control.sock"

        func ask() async throws -> (StatusDocument, StatusDocument.KeySwitch) {
            let reply = try await ConsoleClient(path: socket).send(.status)
            guard let status = reply.status else {
                throw ConsoleError(reply.error ?? "the daemon's answer holds no status")
            }
            guard let key = status.keySwitch else {
                throw ConsoleError(
                    "no key switch is configured: there is no [switch], or nothing that it cuts")
            }
            return (status, key)
        }
    }

    /// `drawbridge switch show`
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print position, line, gate and the last cuts.")

        @OptionGroup var place: Where

        @Flag(help: "Print it as JSON.")
        var json = false

        func run() async throws {
            do {
                let (status, key) = try await place.ask()
                Terminal.output.write(
                    json
                        ? String(decoding: try ConsoleJSON.encode(key), as: UTF8.self) + "\n"
                        : SwitchText.render(key, at: LocalTime(status)))
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }

    /// `drawbridge switch test`
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walk through the acceptance test of the key, and write a dated report.")

        @OptionGroup var place: Where

        @Option(help: "The report's file. (default: switch-test-DATE.txt in this folder)")
        var report: String?

        @Flag(inversion: .prefixedNo, help: "Also test a wire that is taken off its terminal.")
        var wire = true

        private static let look = Duration.milliseconds(50)

        func run() async throws {
            do {
                let isPassed = try await walk()
                if !isPassed { throw ExitCode(1) }
            } catch let code as ExitCode {
                throw code
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }

        private func walk() async throws -> Bool {
            var walk = SwitchWalk(wire: wire)
            let clock = SystemClock()
            var last = clock.now()
            var (status, key) = try await place.ask()
            var told = 0
            while let step = walk.step {
                if told == walk.outcomes.count {
                    Terminal.output.write("\(told + 1). \(step.order) ")
                    told += 1
                }
                try await Task.sleep(for: Self.look)
                (status, key) = try await place.ask()
                let now = clock.now()
                walk.look(key, elapsed: Int((now - last).milliseconds))
                last = now
                if let outcome = walk.outcomes.last, walk.outcomes.count == told {
                    Terminal.output.print(
                        "\(outcome.isPassed ? "passed" : "FAILED"): \(outcome.seen)")
                }
            }
            let date = Self.date("%Y-%m-%d %H:%M:%S UTC")
            let path = report ?? "switch-test-\(Self.date("%Y-%m-%d-%H%M%S")).txt"
            let text = walk.report(
                device: status.device, version: status.softwareVersion, date: date, switch: key)
            let file = try FileDescriptor(
                open: path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try file.writeAll(Array(text.utf8))
            Terminal.output.print(
                "\(walk.isPassed ? "Passed" : "NOT passed"). The report is in \(path)")
            return walk.isPassed
        }

        /// The wall clock, which may be wrong on a router that has not reached a time server.
        private static func date(_ format: String) -> String {
            var now = time(nil)
            var parts = tm()
            gmtime_r(&now, &parts)
            var text = [CChar](repeating: 0, count: 64)
            let count = strftime(&text, text.count, format, &parts)
            return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
