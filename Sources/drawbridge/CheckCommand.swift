import ArgumentParser
import Glibc
import Settings

/// `drawbridge check [FILE]`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a config file: prints every error with its file, line and column.")

    @Argument(help: "The config file.")
    var file = Drawbridge.defaultConfig

    func run() throws {
        do {
            let settings = try Settings.load(file: file)
            Terminal.output.print("\(file): fine")
            Terminal.output.print(settings.summary.joined(separator: "\n"))
            let notes = Self.notes(
                settings, file: { access($0, F_OK) == 0 || errno != ENOENT },
                interface: { if_nametoindex($0) != 0 })
            for note in notes { Terminal.error.print("note: \(note)") }
        } catch {
            for line in error.lines { Terminal.error.print(line) }
            throw ExitCode(1)
        }
    }

    /// What the file names and this machine does not have: it may be meant for another, so this is no mistake.
    static func notes(
        _ settings: Settings, file isThere: (String) -> Bool, interface exists: (String) -> Bool
    ) -> [String] {
        let cloud = settings.cloud.identity
        let vpn = settings.vpn.map { vpn in
            let identity = vpn.identity
            return [identity.authority, identity.certificate, identity.key, vpn.tlsCrypt]
                .compactMap { $0 }
        }
        let files =
            [cloud.authority, cloud.certificate, cloud.key] + (vpn ?? [])
            + (settings.keySwitch.map { [$0.chip] } ?? [])
            + settings.machines.compactMap(\.serial?.device)
        let interfaces = settings.uplinks.map(\.interface) + [settings.lan.interface]
        var seen: Set<String> = []
        let missing =
            files.filter { !isThere($0) }
            + interfaces.filter { !exists($0) }.map { "interface \($0)" }
        return missing.filter { seen.insert($0).inserted }.map { "not on this machine: \($0)" }
    }
}
