import ArgumentParser
import Console

/// `drawbridge confirm`
struct ConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Make the config change on trial permanent, without waiting for the cloud.",
        discussion: "For changes made by hand on site. Fails when nothing is on trial.")

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func run() async throws {
        do {
            let reply = try await ConsoleClient(path: socket).send(.confirm)
            Terminal.output.print(reply.text ?? "confirmed")
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }
}
