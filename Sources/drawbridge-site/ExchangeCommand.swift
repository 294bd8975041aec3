import ArgumentParser
import Base
import Site

/// `drawbridge-site exchange`
struct ExchangeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exchange",
        abstract: "Send datagrams to a peer's port from the same port, and count what comes back.")

    @Option(help: "IPv4 address to send to.")
    var to: String

    @Option(help: "UDP port, here and there.")
    var port: UInt16 = 4998

    @Option(help: "Datagrams a second, 0…10000; 0 only counts.")
    var rate = 1000

    @Option(help: "The file that holds the count.")
    var tally: String

    func validate() throws {
        guard IPv4Address(to) != nil else { throw ValidationError("\(to) is no IPv4 address") }
        guard (0...10_000).contains(rate) else { throw ValidationError("--rate is 0…10000") }
    }

    func run() throws {
        guard let address = IPv4Address(to) else { return }
        try Exchange.run(port: port, to: address, rate: rate, tally: tally) {
            Output.line("ready")
        }
    }
}
