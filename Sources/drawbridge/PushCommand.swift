import ArgumentParser
import Linux
import Machines

/// `drawbridge push token`
struct PushCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "What clients of the machine network need to push readings.",
        subcommands: [Token.self])

    struct Token: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new random token, for a [[push.client]] token-file.",
            discussion: "Nothing is stored. As root: umask 027; drawbridge push token > FILE")

        func run() throws {
            do {
                Terminal.output.print(PushToken.text(random: try Entropy.bytes(32)))
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }
}
