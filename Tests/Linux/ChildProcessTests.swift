import Base
import Glibc
import Linux
import TestSupport
import Testing

@Suite("Child process", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test("an exit status is told from a signal")
    func exits() async throws {
        #expect(try await Command.run(["/bin/sh", "-c", "exit 7"]).exit == .status(7))
        #expect(try await Command.run(["/bin/true"]).exit.isSuccess)
        let killed = try await Command.run(["/bin/sh", "-c", "kill -9 $$"])
        #expect(killed.exit == .signal(SIGKILL))
        #expect(killed.exit.description == "killed by signal 9")
    }

    @Test("a child has no terminal, where it could be stopped as a background job")
    func session() async throws {
        let fields = try await Command.run(["/bin/sh", "-c", "cat /proc/$$/stat"]).output
            .split(separator: " ")
        try #require(fields.count > 5)
        let (processID, session) = (fields[0], fields[5])
        #expect(session == processID)
    }

    @Test("a child without privileges has no capability, and no way to one")
    func powerless() async throws {
        let folder = try TemporaryFolder()
        let child = try ChildProcess(
            ["/bin/grep", "-E", "^(Cap(Prm|Eff|Amb)|NoNewPrivs|SigBlk)", "/proc/self/status"],
            output: .file(folder.path + "/status"), privileges: .none)
        #expect(await child.waitForExit().isSuccess)
        let none = "\t0000000000000000\n"
        #expect(
            try SmallFile.readText(folder.path + "/status")
                == "SigBlk:\(none)CapPrm:\(none)CapEff:\(none)CapAmb:\(none)NoNewPrivs:\t1\n")
        // We have not given up anything ourselves.
        let ours = try SmallFile.readText("/proc/thread-self/status")
        #expect(geteuid() != 0 || !ours.contains("CapEff:\(none)"))
    }

    @Test("a program that is not there is an error that names it")
    func missing() {
        #expect(throws: SystemError("start /nowhere/program", code: ENOENT)) {
            try ChildProcess(["/nowhere/program"])
        }
    }

    @Test("input, output and errors pass, more than a pipe holds")
    func streams() async throws {
        let text = String(repeating: "0123456789abcdef", count: 20_000)
        let result = try await Command.run(
            ["/bin/sh", "-c", "cat; echo trouble >&2"], input: text)
        #expect(result.output == text)
        #expect(result.error == "trouble\n")
    }

    @Test("a child that does not read its input does not hang us")
    func closedInput() async throws {
        signal(SIGPIPE, SIG_IGN)
        let text = String(repeating: "x", count: 1 << 20)
        let result = try await Command.run(["/bin/sh", "-c", "exec <&-; exit 3"], input: text)
        #expect(result.exit == .status(3))
    }

    @Test("output beyond the limit is dropped")
    func outputLimit() async throws {
        let result = try await Command.run([
            "/usr/bin/head", "-c", "\(Command.outputBytesMax + 100_000)", "/dev/zero",
        ])
        #expect(result.exit.isSuccess)
        #expect(result.output.utf8.count == Command.outputBytesMax)
    }

    @Test("a command that takes too long is killed")
    func timeout() async throws {
        let result = try await Command.run(
            ["/bin/sleep", "600"], timeout: .milliseconds(100))
        #expect(result.exit == .signal(SIGKILL))
    }

    @Test("a command that writes without end is killed as well")
    func endless() async throws {
        let begun = SystemClock().now()
        let result = try await Command.run(["/usr/bin/yes"], timeout: .milliseconds(300))
        #expect(result.exit == .signal(SIGKILL))
        #expect(SystemClock().now() - begun < .seconds(10))
        #expect(result.output.hasPrefix("y\ny\n"))
        #expect(result.output.utf8.count <= Command.outputBytesMax)
    }

    @Test("what a command writes beyond the limit is read and dropped")
    func talkative() async throws {
        let bytes = Command.outputBytesMax + 1_000_000
        let result = try await Command.run(["/usr/bin/head", "-c", "\(bytes)", "/dev/zero"])
        #expect(result.exit.isSuccess)
        #expect(result.output.utf8.count == Command.outputBytesMax)
    }

    @Test("stop ends an obedient child by SIGTERM, a deaf one by SIGKILL")
    func stop() async throws {
        let obedient = try ChildProcess(["/bin/sleep", "600"])
        #expect(await obedient.stop(grace: .seconds(30)) == .signal(SIGTERM))
        let deaf = try ChildProcess(
            ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"],
            output: .pipe)
        _ = try await Reactor.shared.wait(for: .readable, on: deaf.standardOutput.raw)
        #expect(await deaf.stop(grace: .milliseconds(100)) == .signal(SIGKILL))
    }

    @Test("a child is heard through SIGTERM though its parent's task blocks signals")
    func cleanSignals() async throws {
        let result = try await Command.run([
            "/bin/sed", "-nE", "s/^Sig(Blk|Ign):.(.*)/\\2/p", "/proc/self/status",
        ])
        let masks = result.output.split(separator: "\n").map { UInt64($0, radix: 16) }
        // Signals 32 and 33 are glibc's own: posix_spawn leaves them ignored.
        #expect(masks == [0, 0] || masks == [0, 0x1_8000_0000])
    }

    @Test("a child gets a clean environment and a process group of its own")
    func cleanWorld() async throws {
        let result = try await Command.run(["/usr/bin/env"], environment: ["ANSWER": "42"])
        #expect(
            result.output.split(separator: "\n").sorted() == [
                "ANSWER=42", "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            ])
        let child = try ChildProcess(["/bin/sleep", "600"])
        #expect(getpgid(child.processID) == child.processID)
        _ = await child.stop(grace: .seconds(30))
    }

    /// What `make test` once met: the pool computed for a minute, and only the limit was kept.
    @Test("output is read also while the pool is busy")
    func busyPool() async throws {
        let call = Task {
            try await Command.run(
                ["/bin/sh", "-c", "sleep 0.3; head -c 1000000 /dev/zero"], timeout: .seconds(2))
        }
        try await Task.sleep(for: .milliseconds(100))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<sysconf(Int32(_SC_NPROCESSORS_ONLN)) {
                group.addTask { usleep(3_000_000) }
            }
        }
        let result = try await call.value
        #expect(result.exit == .status(0))
        #expect(result.output.utf8.count == 1_000_000)
    }

    @Test(
        "a program runs in the network namespace of who calls it",
        .enabled(if: NetworkNamespace.isAvailable))
    func callersNamespace() async throws {
        let host = try NamespaceHost()
        let inside = try await host.run(["/bin/readlink", "/proc/self/ns/net"])
        let expected = try await Command.run(["/bin/readlink", await host.path])
        #expect(expected.exit.isSuccess)
        #expect(inside.output == expected.output)
        let outside = try await Command.run(["/bin/readlink", "/proc/self/ns/net"])
        #expect(outside.output != inside.output)
    }

    @Test("a child inherits no descriptor but its three")
    func noStrayDescriptors() async throws {
        // Not close-on-exec, like those of some libraries.
        let held = open("/dev/zero", O_RDONLY)
        defer { close(held) }
        #expect(held > 2)
        // The fourth is the folder that ls reads.
        let result = try await Command.run(["/bin/ls", "/proc/self/fd"])
        #expect(result.output == "0\n1\n2\n3\n")
    }

    @Test("many children at once are all reaped")
    func many() async throws {
        let statuses = try await withThrowingTaskGroup(of: ChildProcess.Exit.self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await Command.run(["/bin/sh", "-c", "exit \(number)"]).exit
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(
            statuses.map(\.description).sorted()
                == (0..<40).map { "exit status \($0)" }.sorted())
    }
}
