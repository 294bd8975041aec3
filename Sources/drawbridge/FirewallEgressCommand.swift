import ArgumentParser
import Console
import Linux
import Settings

extension FirewallCommand {
    /// `drawbridge firewall egress`
    struct Egress: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what the router may reach: names, addresses open now, ports, and why.",
            discussion:
                "For the IT department. From the running daemon; when none answers, from the config file alone, "
                + "and it says so.")

        @Flag(help: "Print the table as JSON.")
        var json = false

        @Option(help: "The config file, for when no daemon answers.")
        var config = Drawbridge.defaultConfig

        @Option(help: "The daemon's control socket.")
        var socket = "/run/drawbridge/control.sock"

        func run() async throws {
            do {
                let table = try await table()
                Terminal.output.write(
                    json
                        ? String(decoding: try ConsoleJSON.encode(table), as: UTF8.self) + "\n"
                        : table.text())
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }

        private func table() async throws -> EgressTable {
            do {
                let reply = try await ConsoleClient(path: socket).send(.egress)
                guard let table = reply.egress else {
                    throw ConsoleError("the daemon's answer holds no table")
                }
                return table
            } catch let error as ConsoleError {
                Terminal.error.print("\(error)")
                return EgressTable(try Settings.load(file: config), open: nil)
            }
        }
    }
}
