import ArgumentParser

/// The emulated site as a command: the whole of it, or one of its parts.
@main
struct SiteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drawbridge-site",
        abstract: "An emulated site on one machine: providers, cloud, machine and router.",
        subcommands: [
            DemoCommand.self, UpCommand.self, FootprintCommand.self, MachineCommand.self,
            ReadCommand.self, PagesCommand.self,
            FloodCommand.self,
            SinkCommand.self,
        ])
}
