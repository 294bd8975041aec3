import Base
import Glibc
import Linux
import Testing

@testable import Site

@Suite(
    "A site's life", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(1)))
struct SiteLifeTests {
    /// The processes of this machine whose command line names the site's directory.
    private func processes(naming path: String) throws -> [String] {
        guard let folder = opendir("/proc") else { throw SystemError("open /proc", code: errno) }
        defer { closedir(folder) }
        var found: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int(name) != nil, let line = try? SmallFile.readText("/proc/\(name)/cmdline"),
                line.contains(path)
            else { continue }
            found.append(line)
        }
        return found
    }

    private func waitUntilGone(_ path: String) async throws {
        let deadline = SystemClock().now() + .seconds(10)
        while try access(path, F_OK) == 0 || !processes(naming: path).isEmpty {
            guard SystemClock().now() < deadline else {
                let left = try processes(naming: path)
                Issue.record("still there after 10 s: \(path), \(left)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("after stop nothing is left, and the machine's own network was never touched")
    func stop() async throws {
        let before = try await Command.run(["/usr/bin/ip", "-o", "link"]).output
        let site = try await Site.start()
        let path = site.directory.path
        #expect(try !processes(naming: path).isEmpty)
        #expect(access("/run/netns/ispa", F_OK) != 0)
        #expect(try await Command.run(["/usr/bin/ip", "-o", "link"]).output == before)
        await site.stop()
        #expect(access(path, F_OK) != 0)
        try await waitUntilGone(path)
    }

    @Test("a body that is interrupted, as by Ctrl-C, leaves nothing")
    func interrupted() async throws {
        var options = SiteOptions()
        options.keep = .onFailure
        var path = ""
        await #expect(throws: CancellationError.self) {
            try await Site.with(options) { site in
                path = site.directory.path
                throw CancellationError()
            }
        }
        #expect(!path.isEmpty && access(path, F_OK) != 0)
    }

    @Test("a failing body leaves the logs, and says where")
    func failure() async throws {
        var options = SiteOptions()
        options.keep = .onFailure
        let error = await #expect(throws: SiteError.self) {
            try await Site.with(options) { site in
                try await site.waitUntil(within: .milliseconds(1), "the impossible") { false }
            }
        }
        let text = try #require(error?.description)
        #expect(text.contains("the impossible"))
        let logs = try #require(text.split(separator: "logs: ").last?.dropLast())
        #expect(access("\(logs)/mosquitto.log", F_OK) == 0)
        _ = try await Command.run(["/bin/rm", "-rf", String(logs.dropLast("/log".count))])
    }

    @Test(
        "the command takes everything down when it ends, by Ctrl-C or by kill -9",
        arguments: [SIGINT, SIGTERM, SIGKILL])
    func command(signal: Int32) async throws {
        let command = try ChildProcess(
            [Programs.besideThisExecutable().site, "up"], output: .pipe, error: .inherit(2))
        var lines = Lines(of: command)
        var path: String?
        while path == nil, let line = try await lines.next() {
            if line.hasPrefix("Directory: ") { path = String(line.dropFirst(11)) }
        }
        let directory = try #require(path)
        #expect(try !processes(naming: directory).isEmpty)
        command.send(signal: signal)
        let exit = await command.waitForExit()
        #expect(exit == (signal == SIGKILL ? .signal(SIGKILL) : .status(0)))
        try await waitUntilGone(directory)
    }

    @Test(
        "a site needs no root where user namespaces are allowed",
        .enabled("no user namespaces here") {
            try await Command.run(["/usr/bin/unshare", "--user", "/bin/true"]).exit.isSuccess
        })
    func userNamespace() async throws {
        var options = SiteOptions()
        options.usesUserNamespace = true
        try await Site.with(options) { site in
            let isOnline = try await site.ping(from: .office, to: "1.1.1.1")
            let identity = try await site.output(in: .router, ["cat", "/proc/self/uid_map"])
            #expect(isOnline)
            #expect(identity.split(separator: " ").last == "1\n")
        }
    }

    @Test("the daemon's verbs reach the daemon itself, and its state outlives it")
    func daemon() async throws {
        let folder = try SiteDirectory.make(in: nil)
        defer { rmdirAll(folder.path) }
        let script = folder.path + "/daemon"
        try SmallFile.replace(
            script,
            with: Array(
                """
                #!/bin/sh
                [ "$1" = status ] && echo '{"preload":"'"$(cat /run/drawbridge/preload)"'"}' && exit
                trap 'exit 7' TERM
                echo "$LD_PRELOAD" > /run/drawbridge/preload
                cat /etc/drawbridge/drawbridge.toml >> /var/lib/drawbridge/starts
                while :; do date +%s%N > /run/drawbridge/beat; sleep 0.02; done

                """.utf8), mode: 0o755)
        var options = SiteOptions()
        var programs = try Programs.besideThisExecutable()
        programs.daemon = script
        options.programs = programs
        try await Site.with(options) { site in
            func beat() async throws -> String {
                try await site.run(in: .router, ["cat", "/run/drawbridge/beat"]).output
            }
            try await site.startDaemon(config: "one\n")
            try await site.waitUntil(within: .seconds(5), "a beat") {
                try await !beat().isEmpty
            }
            #expect(try await site.status().contains("libfakegpio.so"))
            try await site.pauseDaemon()
            try await Task.sleep(for: .milliseconds(100))
            let paused = try await beat()
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await beat() == paused)
            try await site.resumeDaemon()
            try await site.waitUntil(within: .seconds(5), "a beat again") {
                try await beat() != paused
            }
            try await site.killDaemon()
            #expect(await !site.isDaemonRunning)
            await #expect(throws: SiteError.self) { try await site.killDaemon() }
            try await site.startDaemon()
            try await site.waitUntil(within: .seconds(5), "the second start") {
                (try? SmallFile.readText(site.directory.state + "/starts")) == "one\none\n"
            }
            #expect(try await site.stopDaemon() == .status(7))
        }
    }

    private func rmdirAll(_ path: String) {
        for name in ["daemon", "pki", "log", "etc/pki", "etc", "state", "gpio", "vpn/clients"] {
            remove("\(path)/\(name)")
        }
        remove("\(path)/vpn")
        remove(path)
    }

    @Test("the key switch moves the line")
    func keySwitch() async throws {
        try await Site.with { site in
            func level() throws -> String? {
                try SmallFile.readText(site.directory.gpio + "/state").split(separator: "\n")
                    .first { $0.contains("name=vpn-switch") }?.split(separator: " ")
                    .first { $0.hasPrefix("level=") }.map { String($0) }
            }
            #expect(try level() == "level=0")
            let before = SystemClock().now()
            let moment = try await site.turnSwitch(.off)
            #expect(before <= moment && moment <= SystemClock().now())
            #expect(try level() == "level=1")
            try await site.turnSwitch(.on)
            #expect(try level() == "level=0")
            await #expect(throws: (any Error).self) { try await site.commandGPIO("nonsense") }
        }
    }
}
