import ArgumentParser
import Console

/// `drawbridge uplinks drill`
struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract:
            "Prove that the uplinks which wait for their turn would carry, by a session over each.",
        discussion: """
            Walks over each of them from link to address, gateway, DNS, TCP, TLS and an MQTT session of its own, while \
            everything else goes where it went. Exits with 1 if one of them fails, or another uplink came to carry \
            meanwhile.
            """)

    @Argument(help: "The uplink; without it, all but the one that carries.")
    var name: String?

    @Flag(help: "Print the findings as JSON.")
    var json = false

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func run() async throws {
        let report: DrillReport
        do {
            let reply = try await ConsoleClient(path: socket).send(
                .drill(name), timeout: DrillService.drillMax)
            guard let found = reply.drill else {
                throw ConsoleError("the daemon's answer holds no findings")
            }
            report = found
            if json {
                Terminal.output.print(
                    String(decoding: try ConsoleJSON.encode(report), as: UTF8.self))
            } else {
                Terminal.output.write(report.text(isColoured: Terminal.output.wantsColour))
            }
        } catch {
            Terminal.error.print("\(error)")
            throw ExitCode(1)
        }
        if !report.isGood { throw ExitCode(1) }
    }
}
