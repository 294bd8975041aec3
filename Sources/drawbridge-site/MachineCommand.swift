import ArgumentParser
import Site

/// `drawbridge-site plc`
struct MachineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plc",
        abstract: "Be the emulated machine: a Modbus TCP server whose values move.")

    @Option(help: "TCP port.")
    var port: UInt16 = 502

    func run() throws {
        var server = MachineServer(port: port)
        try server.run { Output.line("listening on port \(port)") }
    }
}

/// `drawbridge-site modbus-read`
struct ReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modbus-read",
        abstract: "Print the machine's oven temperature, in °C; exit 1 when it cannot be read.")

    @Argument(help: "IPv4 address of the machine.")
    var address: String

    @Option(help: "TCP port.")
    var port: UInt16 = 502

    @Option(help: "Milliseconds to wait for the connection and for the answer.")
    var timeout: UInt32 = 1000

    func run() throws {
        let question = ModbusQuestion(
            address: address, port: port, timeoutMilliseconds: timeout)
        Output.line("\(try question.ovenTemperature())")
    }
}
