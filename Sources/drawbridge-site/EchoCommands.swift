import ArgumentParser
import Base
import Site

/// `drawbridge-site echo`
struct EchoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "Send every datagram back to where it came from.")

    @Option(help: "UDP port.")
    var port: UInt16 = 5999

    func run() throws {
        try EchoStream.serve(port: port) { Output.line("listening on port \(port)") }
    }
}

/// `drawbridge-site converse`
struct ConverseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "converse",
        abstract:
            "Send numbered datagrams to `echo` at a steady rate, and note when each came back.",
        discussion: "Prints number, time sent and time back (CLOCK_BOOTTIME, ns) of each.")

    @Option(help: "IPv4 address to send to.")
    var to: String

    @Option(help: "UDP port.")
    var port: UInt16 = 5999

    @Option(help: "Datagrams a second, 1…1000.")
    var rate = 100

    func validate() throws {
        guard IPv4Address(to) != nil else { throw ValidationError("\(to) is no IPv4 address") }
        guard (1...1000).contains(rate) else { throw ValidationError("--rate is 1…1000") }
    }

    func run() throws {
        guard let address = IPv4Address(to) else { return }
        try EchoStream.converse(with: address, port: port, rate: rate) { number, sent, back in
            Output.line("\(number) \(sent.nanoseconds) \(back.nanoseconds)")
        }
    }
}
