package import Base
import Glibc
package import Linux

/// The daemon under test, in the router.
extension Site {
    /// The configuration file that the project ships; only an uplink that had failed is trusted again sooner, so
    /// that no story must wait.
    package static func shippedConfiguration() throws -> String {
        try SmallFile.readText(Programs.sourceRoot + "/etc/drawbridge.toml")
            .replacing("\nhold = \"30s\"", with: "\nhold = \"2s\"")
            .replacing("\nhold-max = \"10m\"", with: "\nhold-max = \"4s\"")
    }

    /// Starts the daemon with a configuration file's text; nil: with the file of its last start.
    package func startDaemon(
        config: String? = nil, environment: [String: String] = [:]
    ) async throws {
        guard !isDaemonRunning else { throw SiteError("cannot start the daemon: it is running") }
        if let config { try directory.write(config, to: directory.configurationFile) }
        if let user = options.daemonUser { try await giveDirectories(to: user) }
        let part = try Part(
            "daemon", in: .router, of: holder,
            (options.daemonUser.map(Self.becoming) ?? []) + [
                "env", "LD_PRELOAD=\(programs.fakegpioLibrary)",
                "FAKEGPIO_SOCK=\(keySwitch.socket)",
            ] + environment.map { "\($0)=\($1)" } + [programs.daemon, "daemon"],
            directory: directory)
        daemonPart = part
        try await part.waitUntilBegun(within: options.readyWithin)
    }

    /// What `systemd/drawbridge.service` gives the daemon.
    private static let capabilities = "-all,+net_admin,+net_raw,+net_bind_service"

    /// The beginning of a command line that runs the rest as another user; it still dies with us.
    private static func becoming(_ user: UInt32) -> [String] {
        [
            "setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups", "--inh-caps",
            capabilities, "--ambient-caps", capabilities, "--bounding-set", capabilities,
            "--pdeathsig", "KILL", "--",
        ]
    }

    private func giveDirectories(to user: UInt32) async throws {
        try await output(
            in: .router,
            [
                "chown", "-R", "\(user):\(user)", "/etc/drawbridge", "/var/lib/drawbridge",
                "/run/drawbridge", directory.gpio,
            ])
        try await output(in: .router, ["chmod", "711", directory.path])
    }

    package var isDaemonRunning: Bool { daemonPart?.isRunning ?? false }

    /// The daemon's process, as this machine numbers it; nil while it does not run.
    package var daemonProcessID: Int32? { daemonPart?.processID }

    /// `kill -9` of the daemon itself, not of its children; returns the moment just before it.
    @discardableResult
    package func killDaemon() async throws -> Instant {
        let part = try runningDaemon("kill")
        let begin = SystemClock().now()
        part.send(signal: SIGKILL)
        _ = await part.entry.waitForExit()
        return begin
    }

    /// Asks the daemon to end, as systemd would, and returns how it did.
    @discardableResult
    package func stopDaemon(grace: Duration = .seconds(10)) async throws -> ChildProcess.Exit {
        try await runningDaemon("stop").stop(grace: grace)
    }

    /// Stops the daemon's every thread where it is (SIGSTOP); returns the moment just before.
    @discardableResult
    package func pauseDaemon() throws -> Instant {
        let part = try runningDaemon("pause")
        let begin = SystemClock().now()
        part.send(signal: SIGSTOP)
        return begin
    }

    package func resumeDaemon() throws { try runningDaemon("resume").resume() }

    /// The daemon's status as its console tells it, in JSON.
    package func status() async throws -> String {
        try await output(in: .router, [programs.daemon, "status", "--json"])
    }

    private func runningDaemon(_ verb: String) throws -> Part {
        guard let daemonPart, daemonPart.processID != nil else {
            throw SiteError(
                "cannot \(verb) the daemon: it is not running. \(directory.tail("daemon"))")
        }
        return daemonPart
    }
}
