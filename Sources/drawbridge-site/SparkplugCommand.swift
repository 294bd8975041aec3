import ArgumentParser
import Base
import Site

/// `drawbridge-site sparkplug`
struct SparkplugCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sparkplug",
        abstract: "Say one Sparkplug session, a line a message: its topic, and its payload in hex.")

    func run() throws {
        for message in SparkplugSample.messages(at: WallTime(milliseconds: 1_700_000_000_000)) {
            let hex = message.payload.map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            Output.line("\(message.topic) \(hex.joined())")
        }
    }
}
