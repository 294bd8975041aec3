import ArgumentParser
import Base
import Site

/// `drawbridge-site modbus`
struct ModbusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modbus",
        abstract: "Poll a foreign Modbus server: check its values, and measure, as rows of a table."
    )

    @Option(help: "What the server is called in the table.")
    var name: String

    @Option(help: "TCP port, on every address of 127.0.0.0/8.")
    var port: UInt16 = 502

    @Option(help: "The serial line that the server is on instead; only values are checked.")
    var serial: String?

    @Option(help: "Devices, each with 200 tags, once a second.")
    var devices = 50

    @Option(help: "An empty directory for the ring that everything goes into.")
    var ring: String

    @Option(help: "How long it is measured; 0: only the values are checked.")
    var seconds = 60

    func validate() throws {
        guard (1...200).contains(devices), (0...3600).contains(seconds) else {
            throw ValidationError("--devices takes 1 to 200, --seconds 0 to 3600")
        }
    }

    func run() async throws {
        var load = ModbusLoad(port: port, devices: devices, ring: ring)
        load.serialDevice = serial
        let checked = try await load.checkValues()
        for wrong in checked.wrong { Output.line("| \(name): wrong | \(wrong) |") }
        guard checked.wrong.isEmpty else { throw ExitCode(1) }
        Output.line("| \(name): 15 values of all tables, types and orders | right |")
        guard seconds > 0, serial == nil else { return }
        let outcome = try await load.measure(for: .seconds(seconds))
        let share = Int((outcome.processorShare * 1000).rounded())
        for row in [
            "devices × tags, once a second | \(devices) × \(ModbusLoad.tagsPerDevice)",
            "readings in \(seconds) s | \(Figure.count(outcome.readings))",
            "polls answered, missed, failed | "
                + "\(outcome.polls), \(outcome.missed), \(outcome.errors)",
            "readings taken since the start, on flash in the ring, lost | "
                + "\(Figure.count(outcome.taken)), \(Figure.count(Int(outcome.recorded))), "
                + "\(outcome.lost)",
            "processor, of one core | \(share / 10).\(share % 10) %",
        ] {
            Output.line("| \(name): \(row) |")
        }
    }
}
