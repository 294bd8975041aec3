import ArgumentParser

/// The emulated site as a command: the whole of it, or one of its parts.
@main
struct SiteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drawbridge-site",
        abstract: "An emulated site on one machine: providers, cloud, machine and router.",
        subcommands: [
            DemoCommand.self, UpCommand.self, FootprintCommand.self, BacklogCommand.self,
            ModbusCommand.self, SparkplugCommand.self, MachineCommand.self, ReadCommand.self,
            FloodCommand.self, SinkCommand.self, FuzzCommand.self, FuzzWatchCommand.self,
            ClosedCommand.self, ExchangeCommand.self, GateCommand.self, RestartsCommand.self,
            TurnsCommand.self, PagesCommand.self, EchoCommand.self, ConverseCommand.self,
            FailoverCommand.self, RollbackCommand.self, WatchRoutesCommand.self,
            SwallowCommand.self,
            UploadCommand.self, HoldCommand.self,
            ScanCommand.self, SweepCommand.self, ReloadCommand.self, BlastCommand.self,
            RotatingCommand.self, FirewallBenchCommand.self, ElementCommand.self,
        ])
}
