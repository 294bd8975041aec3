import ArgumentParser
import Console
import Linux
import Settings

/// `drawbridge status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how the machine is: online, closed, recorded, and who may get in.")

    @Flag(help: "Print the status document as JSON.")
    var json = false

    @Flag(help: "Refresh the screen every second until Ctrl-C.")
    var watch = false

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func validate() throws {
        if json && watch { throw ValidationError("--json and --watch exclude each other") }
    }

    func run() async throws {
        let client = ConsoleClient(path: socket)
        if watch { return await refresh(client) }
        do {
            let document = try await Self.status(client)
            if json {
                Terminal.output.print(
                    String(decoding: try ConsoleJSON.encode(document), as: UTF8.self))
            } else {
                Terminal.output.write(
                    StatusText.render(document, isColoured: Terminal.output.wantsColour))
            }
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
    }

    /// Draws in place; a daemon that is away is waited for.
    private func refresh(_ client: ConsoleClient) async {
        let isDrawn = Terminal.output.isTerminal
        if isDrawn { Terminal.output.write("\u{1b}[2J") }
        while !Task.isCancelled {
            let screen: String
            do {
                screen = StatusText.render(
                    try await Self.status(client), isColoured: Terminal.output.wantsColour,
                    sparklines: Terminal.wantsUnicode ? .unicode : .plain)
            } catch {
                screen = "\(error)\n"
            }
            Terminal.output.write(isDrawn ? Self.inPlace(screen) : screen)
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Over what stands there, line by line, so that nothing flickers. Without the last line feed, which on
    /// a full screen would push the first line out.
    static func inPlace(_ screen: String) -> String {
        "\u{1b}[H" + screen.dropLast().replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[K\u{1b}[J"
    }

    static func status(_ client: ConsoleClient) async throws -> StatusDocument {
        let reply = try await client.send(.status)
        guard let status = reply.status else {
            throw ConsoleError(reply.error ?? "the daemon's answer holds no status")
        }
        return status
    }
}
