import Base
import Glibc
import Linux

/// What stands when a site has been built: its long-lived programs.
struct Standing: Sendable {
    var parts: [Part]
    var cloud: CloudWatcher
    var keySwitch: KeySwitchLine

    /// Lays the network and makes the keys side by side, starts everything, and waits until all is ready.
    static func build(
        in holder: Holder, directory: SiteDirectory, programs: Programs, options: SiteOptions
    ) async throws -> Standing {
        let limit = options.readyWithin
        try writeConfiguration(directory)
        async let network: Void = script(
            "lay the site's network", Topology.script, holder.entering(nil, ["sh", "-s"]), limit)
        async let keys: Void = script(
            "make the site's keys",
            "cd \(directory.certificates)\n" + Certificates.script, ["/bin/sh", "-s"], limit)
        let keySwitch = KeySwitchLine(socket: directory.gpio + "/sock")
        let gpio = try Part(
            "fakegpiod", in: nil, of: holder,
            [
                programs.fakegpiod, "-d", directory.gpio, "-n", "8", "-l",
                "3=\(KeySwitchLine.name)", "-l", "4=vpn-remote", "-l", "5=vpn-lamp",
            ],
            directory: directory)
        _ = try await (network, keys)

        func part(_ name: String, _ place: Place, _ arguments: [String]) throws -> Part {
            try Part(name, in: place, of: holder, arguments, directory: directory)
        }
        let dns = try part("dnsmasq", .internet, CloudParts.dnsmasq)
        let broker = try part("mosquitto", .cloud, ["mosquitto", "-c", path(directory, "broker")])
        let vpn = try part("openvpn", .cloud, ["openvpn", "--config", path(directory, "server")])
        let enrolment = try part("enrolment", .cloud, EnrolmentServer.arguments(directory))
        let machine = try part("plc", .plc, [programs.site, "plc"])
        try await vpn.waitUntilReady(saying: "Initialization Sequence Completed", within: limit)
        let technician = try part(
            "technician", .remote, ["openvpn", "--config", path(directory, "technician")])
        try await broker.waitUntilReady(saying: "running", within: limit)
        let cloud = try CloudWatcher(in: holder, directory: directory)
        try await broker.waitUntilReady(saying: "cloud-watcher 1 spBv1.0/#", within: limit)
        try await dns.waitUntilReady(saying: "started, version", within: limit)
        try await machine.waitUntilReady(saying: "listening", within: limit)
        try await enrolment.waitUntilReady(saying: "listening", within: limit)
        try await gpio.waitUntilReady(within: limit) {
            (try? await keySwitch.turn(options.keySwitch)) != nil
        }
        try await technician.waitUntilReady(
            saying: "Initialization Sequence Completed", within: limit)
        return Standing(
            parts: [gpio, dns, broker, vpn, enrolment, machine, technician], cloud: cloud,
            keySwitch: keySwitch)
    }

    private static func path(_ directory: SiteDirectory, _ name: String) -> String {
        "\(directory.vpn)/\(name).conf"
    }

    private static func writeConfiguration(_ directory: SiteDirectory) throws {
        for (name, text) in [
            ("broker", CloudParts.mosquitto(directory)),
            ("server", CloudParts.openVPNServer(directory)),
            ("technician", CloudParts.technician(directory)),
        ] {
            try directory.write(text + "\n", to: path(directory, name))
        }
        let admission = "\(directory.vpn)/admission"
        try directory.write(EnrolmentServer.admission(directory) + "\n", to: admission)
        _ = try check("make \(admission) a program") { chmod(admission, 0o755) }
        try directory.write("", to: "\(directory.vpn)/sessions")
        for (name, text) in CloudParts.openVPNClients {
            try directory.write(text, to: "\(directory.vpn)/clients/\(name)")
        }
    }

    private static func script(
        _ attempted: String, _ text: String, _ shell: [String], _ limit: Duration
    ) async throws {
        let result = try await Command.run(shell, input: text, timeout: limit)
        guard result.exit.isSuccess else {
            throw SiteError("cannot \(attempted) (\(result.exit)): \(result.error)")
        }
    }
}
