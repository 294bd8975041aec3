import ArgumentParser
import Base
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
                interface: { if_nametoindex($0) != 0 }, address: Self.isLocal)
            for note in notes { Terminal.error.print("note: \(note)") }
        } catch {
            for line in error.lines { Terminal.error.print(line) }
            throw ExitCode(1)
        }
    }

    /// What the file names and this machine does not have: it may be meant for another, so this is no mistake.
    static func notes(
        _ settings: Settings, file isThere: (String) -> Bool, interface exists: (String) -> Bool,
        address isOurs: (IPv4Address) -> Bool = { _ in true }
    ) -> [String] {
        let cloud = settings.cloud.identity
        let vpn = settings.vpn.map { vpn in
            let identity = vpn.identity
            return [
                identity.authority, identity.certificate, identity.key, vpn.tlsCrypt,
                vpn.proxyLogin,
            ]
            .compactMap { $0 }
        }
        let files =
            [cloud.authority, cloud.certificate, cloud.key] + (vpn ?? [])
            + (settings.keySwitch.map { [$0.chip] } ?? [])
            + settings.machines.compactMap(\.serial?.device)
            + [settings.syslog?.authority, settings.syslog?.certificate, settings.syslog?.key]
            .compactMap { $0 }
            + settings.push.clients.map(\.tokenFile)
            + settings.subscriptions.compactMap(\.passwordFile)
        let interfaces = settings.uplinks.map(\.interface) + [settings.lan.interface]
        var seen: Set<String> = []
        let missing =
            files.filter { !isThere($0) }
            + interfaces.filter { !exists($0) }.map { "interface \($0)" }
            + settings.firewall.translations.filter {
                $0.side != Settings.Firewall.Translation.vpn && !isOurs($0.address)
            }.map { "address \($0.address) (firewall.nat): give it to the interface" }
        return missing.filter { seen.insert($0).inserted }.map { "not on this machine: \($0)" }
    }

    /// Whether an interface of this machine has the address; the C function is `getifaddrs`.
    private static func isLocal(_ address: IPv4Address) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return true }
        defer { freeifaddrs(first) }
        var next = first
        while let entry = next {
            if let socket = entry.pointee.ifa_addr, socket.pointee.sa_family == AF_INET {
                let raw = UnsafeRawPointer(socket).loadUnaligned(as: sockaddr_in.self)
                if UInt32(bigEndian: raw.sin_addr.s_addr) == address.value { return true }
            }
            next = entry.pointee.ifa_next
        }
        return false
    }
}
