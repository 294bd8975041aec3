import Base
import Glibc
package import Linux

/// A whole site on one machine: three providers, the internet, the cloud, an office host, a machine on
/// the LAN, and the router between them, each in a network namespace, all of it gone when this process is.
package actor Site {
    /// The device's name: the common name of its certificate.
    package static let deviceName = "press-line-4"

    package nonisolated let directory: SiteDirectory
    package nonisolated let programs: Programs
    /// What the cloud has received.
    package nonisolated let cloud: CloudWatcher
    /// How long `start` took.
    package nonisolated let startedWithin: Duration
    nonisolated let holder: Holder
    nonisolated let options: SiteOptions
    /// The programs that stand from the start: `mosquitto`, `openvpn`, `enrolment`, `dnsmasq`, `plc`, `technician`, `fakegpiod`.
    package nonisolated let parts: [Part]
    nonisolated let keySwitch: KeySwitchLine
    var faults: [ISP: Faults] = [:]
    var daemonPart: Part?
    var backgroundCount = 0

    private init(
        directory: SiteDirectory, programs: Programs, holder: Holder, options: SiteOptions,
        standing: Standing, startedWithin: Duration
    ) {
        self.directory = directory
        self.programs = programs
        self.holder = holder
        self.options = options
        parts = standing.parts
        cloud = standing.cloud
        keySwitch = standing.keySwitch
        self.startedWithin = startedWithin
    }

    /// Builds a site and returns when all of it is ready: usually within two seconds.
    ///
    /// Call `stop` at the end; without it everything still goes when this process does.
    package static func start(_ options: SiteOptions = SiteOptions()) async throws -> Site {
        let begin = SystemClock().now()
        let obstacles = Programs.obstacles()
        guard obstacles.isEmpty else {
            throw SiteError("cannot start the site: " + obstacles.joined(separator: "; "))
        }
        let programs = try options.programs ?? .besideThisExecutable()
        let directory = try SiteDirectory.make(in: options.temporaryDirectory)
        var holder: Holder?
        do {
            let started = try await Holder.start(in: directory, options: options)
            holder = started
            let standing = try await Standing.build(
                in: started, directory: directory, programs: programs, options: options)
            return Site(
                directory: directory, programs: programs, holder: started, options: options,
                standing: standing, startedWithin: SystemClock().now() - begin)
        } catch {
            await end(holder, directory, keeping: options.keep != .never)
            throw error
        }
    }

    /// Runs `body` with a site that is taken down at its end, however it ends.
    ///
    /// When `body` throws and the site's directory is kept, the error says where it is.
    package static func with<R: Sendable>(
        _ options: SiteOptions = SiteOptions(), _ body: (Site) async throws -> R
    ) async throws -> R {
        let site = try await start(options)
        do {
            let result = try await body(site)
            await site.stop()
            return result
        } catch {
            // Whoever interrupts is not looking for what went wrong.
            let failed = !(error is CancellationError)
            await site.stop(failed: failed)
            guard options.keep != .never, failed else { throw error }
            throw SiteError("\(error) (logs: \(site.directory.logs))")
        }
    }

    /// Takes the site down; returns when all its processes, namespaces and mounts are gone.
    package func stop(failed: Bool = false) async {
        let keeps: Bool
        switch options.keep {
        case .never: keeps = false
        case .onFailure: keeps = failed
        case .always: keeps = true
        }
        // The kernel waits for the entries to reap what it has killed: one that was stopped with its program, by a test that
        // ended before it let it go on, would never do so.
        let waking = Task { [parts] in
            while !Task.isCancelled {
                for part in parts { part.entry.send(signal: SIGCONT) }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        await Self.end(holder, directory, keeping: keeps)
        waking.cancel()
    }

    private static func end(
        _ holder: Holder?, _ directory: SiteDirectory, keeping: Bool
    ) async {
        await holder?.end(keepingDirectory: keeping)
        guard !keeping, access(directory.path, F_OK) == 0 else { return }
        _ = try? await Command.run(["/bin/rm", "-rf", directory.path])
    }

    /// Runs a program in a place of the site, to its end.
    package nonisolated func run(
        in place: Place, _ arguments: [String], input: String = "",
        timeout: Duration = .seconds(10)
    ) async throws -> Command.Result {
        try await Command.run(
            holder.entering(place, arguments), input: input, timeout: timeout)
    }

    /// Runs a program that must succeed, and returns its output.
    @discardableResult
    package nonisolated func output(
        in place: Place, _ arguments: [String], input: String = "",
        timeout: Duration = .seconds(10)
    ) async throws -> String {
        let result = try await run(in: place, arguments, input: input, timeout: timeout)
        guard result.exit.isSuccess else {
            throw SiteError(
                "`\(arguments.joined(separator: " "))` failed in \(place.rawValue) "
                    + "(\(result.exit)): \(result.error)\(result.output)")
        }
        return result.output
    }

    /// Starts a program that goes on in a place of the site; its output goes to its own log.
    package func startBackground(
        in place: Place, name: String, _ arguments: [String]
    ) throws -> Part {
        backgroundCount += 1
        return try Part(
            "\(name)-\(backgroundCount)", in: place, of: holder, arguments, directory: directory)
    }

    /// Whether one ping from a place is answered within a second.
    package nonisolated func ping(from place: Place, to address: String) async throws -> Bool {
        try await run(in: place, ["ping", "-n", "-q", "-c", "1", "-W", "1", address])
            .exit.isSuccess
    }

    /// Waits until `condition` holds; the error at the deadline names `what` was awaited.
    ///
    /// Returns how long it took.
    @discardableResult
    package nonisolated func waitUntil(
        within limit: Duration, _ what: String, every pause: Duration = .milliseconds(50),
        _ condition: () async throws -> Bool
    ) async throws -> Duration {
        let begin = SystemClock().now()
        while try await !condition() {
            guard SystemClock().now() - begin < limit else {
                throw SiteError("not within \(DurationText.format(limit)): \(what)")
            }
            try await Task.sleep(for: pause)
        }
        return SystemClock().now() - begin
    }
}
