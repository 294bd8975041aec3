import ArgumentParser
import Console
import Linux

/// `drawbridge uplinks`
struct UplinksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uplinks",
        abstract: "Say how each uplink serves, and why which one carries; try those that wait.",
        subcommands: [ShowUplinksCommand.self, DrillCommand.self],
        defaultSubcommand: ShowUplinksCommand.self)
}

/// `drawbridge uplinks show`, which need not be said.
struct ShowUplinksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Say how each uplink serves, why which one carries, and when that changed.")

    @Flag(help: "Print the uplinks' part of the status document as JSON.")
    var json = false

    @Flag(help: "Refresh the screen every second until Ctrl-C.")
    var watch = false

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func validate() throws {
        if json && watch { throw ValidationError("--json and --watch exclude each other") }
    }

    private struct Part: Encodable {
        var uplinks: [StatusDocument.Uplink]
        var switches: UInt64
        var history: [StatusDocument.UplinkSwitch]
    }

    func run() async throws {
        let client = ConsoleClient(path: socket)
        repeat {
            do {
                let document = try await StatusCommand.status(client)
                if json {
                    let part = Part(
                        uplinks: document.uplinks, switches: document.uplinkSwitches,
                        history: document.uplinkHistory ?? [])
                    Terminal.output.print(
                        String(decoding: try ConsoleJSON.encode(part), as: UTF8.self))
                } else {
                    let text = UplinksText.render(
                        document, isColoured: Terminal.output.wantsColour)
                    Terminal.output.write(
                        watch && Terminal.output.isTerminal ? StatusCommand.inPlace(text) : text)
                }
            } catch {
                Terminal.error.print("\(error)")
                if !watch { throw ExitCode(1) }
            }
            if watch { try await Task.sleep(for: .seconds(1)) }
        } while watch
    }
}
