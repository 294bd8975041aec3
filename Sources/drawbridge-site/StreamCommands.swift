import ArgumentParser
import Base
import Site

/// `drawbridge-site flood`
struct FloodCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flood",
        abstract: "Send numbered datagrams at a steady rate until stopped.",
        discussion: "Prints a datagram's number and its time (CLOCK_BOOTTIME, ns), every 50th.")

    @Option(help: "IPv4 address to send to.")
    var to: String

    @Option(help: "UDP port.")
    var port: UInt16 = 4999

    @Option(help: "Datagrams a second, 1…10000.")
    var rate = 1000

    func validate() throws {
        guard IPv4Address(to) != nil else { throw ValidationError("\(to) is no IPv4 address") }
        guard (1...10_000).contains(rate) else { throw ValidationError("--rate is 1…10000") }
    }

    func run() throws {
        guard let address = IPv4Address(to) else { return }
        try DatagramStream.send(to: address, port: port, rate: rate) { number, sent in
            Output.line("\(number) \(sent.nanoseconds)")
        }
    }
}

/// `drawbridge-site sink`
struct SinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink",
        abstract: "Receive datagrams of `flood` and note when each arrived.",
        discussion: "Prints number, time sent and time arrived (CLOCK_BOOTTIME, ns) of each.")

    @Option(help: "UDP port.")
    var port: UInt16 = 4999

    func run() throws {
        try DatagramStream.receive(port: port) {
            Output.line("listening on port \(port)")
        } report: { number, sent, arrived in
            Output.line("\(number) \(sent.nanoseconds) \(arrived.nanoseconds)")
        }
    }
}
