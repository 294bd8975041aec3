import ArgumentParser
import Console

/// `drawbridge doctor`
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find the cable, name, port or line that is wrong, on every uplink.",
        discussion: """
            Walks from link to address, gateway, DNS, TCP, TLS, MQTT, VPN, GPIO, disk and clock, and to the servers \
            of [syslog], [bulk] and [[subscribe]]. The daemon does the walking, since its firewall lets nobody \
            else through.
            """)

    @Flag(help: "Print the findings as JSON.")
    var json = false

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func run() async throws {
        let report: DoctorReport
        do {
            let reply = try await ConsoleClient(path: socket).send(
                .doctor, timeout: DoctorService.walkMax)
            guard let found = reply.doctor else {
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
            Terminal.error.print(
                "\(error)\nWithout the daemon nothing leaves the router: start it, and look at what it "
                    + "says (journalctl -u drawbridge; drawbridge check).")
            throw ExitCode(1)
        }
        if !report.failures.isEmpty { throw ExitCode(1) }
    }
}
