import ArgumentParser
import Base
import Site

/// `drawbridge-site watch-routes`
struct WatchRoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch-routes",
        abstract:
            "Say when carriers come and go, and over which interface the default route leads.",
        discussion: "Each line begins with the time (CLOCK_BOOTTIME, ns).")

    func run() throws {
        try RouteWatch.run {
            Output.line("listening")
        } report: {
            Output.line(RouteWatch.line($0))
        }
    }
}

/// `drawbridge-site swallow`
struct SwallowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swallow", abstract: "Take TCP connections and what comes over them.")

    @Option(help: "TCP port.")
    var port: UInt16 = 5998

    func run() throws {
        try Conversations.swallow(port: port) { Output.line("listening on port \(port)") }
    }
}

/// `drawbridge-site upload`
struct UploadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Send over TCP as much as it takes, until stopped.")

    @Option(help: "IPv4 address to send to.")
    var to: String

    @Option(help: "TCP port.")
    var port: UInt16 = 5998

    func validate() throws {
        guard IPv4Address(to) != nil else { throw ValidationError("\(to) is no IPv4 address") }
    }

    func run() throws {
        guard let address = IPv4Address(to) else { return }
        try Conversations.upload(to: address, port: port)
    }
}

/// `drawbridge-site hold`
struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep TCP connections that rest, and ask for a new one again and again.",
        discussion: """
            Prints when a resting one was ended from outside, and when a new one was asked for and stood
            (CLOCK_BOOTTIME, ns).
            """)

    @Option(help: "IPv4 address to connect to.")
    var to: String

    @Option(help: "TCP port.")
    var port: UInt16 = 5998

    @Option(help: "How many rest, 1…100.")
    var count = 20

    @Option(help: "Milliseconds from one new one to the next, 10…10000.")
    var every = 50

    func validate() throws {
        guard IPv4Address(to) != nil else { throw ValidationError("\(to) is no IPv4 address") }
        guard (1...100).contains(count), (10...10_000).contains(every) else {
            throw ValidationError("--count is 1…100, --every 10…10000")
        }
    }

    func run() throws {
        guard let address = IPv4Address(to) else { return }
        try Conversations.hold(
            to: address, port: port, count: count, pause: .milliseconds(every)
        ) { Output.line(Conversations.line($0)) }
    }
}
