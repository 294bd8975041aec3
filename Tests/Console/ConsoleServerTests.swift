import Base
import Glibc
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Console

@Suite("Console server and client")
struct ConsoleServerTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/control.sock" }

    init() throws { folder = try TemporaryFolder() }

    private func server(
        _ handler: @escaping @Sendable (ConsoleRequest) async -> ConsoleReply = {
            ConsoleReply(to: $0, status: goodDay())
        }
    ) -> ConsoleServer {
        ConsoleServer(
            path: path, handler: handler,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Runs the server while `body` runs; it must then end without an error and take its socket along.
    private func running(_ server: ConsoleServer, _ body: () async throws -> Void) async throws {
        let task = Task { try await server.run() }
        for _ in 0..<500 {
            if (try? UnixStream(connectingTo: path)) != nil { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        do {
            try await body()
        } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        try await task.value
        #expect(access(path, F_OK) != 0)
    }

    /// Says something that is no proper request, and returns the answer.
    private func raw(_ text: String) async throws -> String {
        let result = try await Command.run(
            [
                "/usr/bin/python3", "-c",
                """
                import socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                try:
                    s.sendall(sys.stdin.buffer.read())
                except BrokenPipeError:
                    pass
                sys.stdout.write(s.makefile().readline())
                """, path,
            ], input: text)
        return result.output
    }

    private func expectService() async throws {
        let reply = try await ConsoleClient(path: path).send(.status)
        #expect(reply.status != nil)
    }

    @Test("who asks is the kernel's word, whatever the request says")
    func caller() async throws {
        let answering = server { request in
            ConsoleReply(text: request.userID.map { "user \($0)" })
        }
        try await running(answering) {
            let reply = try await raw("{\"command\":\"x\",\"userID\":4711}\n")
            #expect(reply.contains("\"text\":\"user \(geteuid())\""), "\(reply)")
        }
    }

    @Test("status and metrics; the document survives the way")
    func dialogue() async throws {
        try await running(server()) {
            let client = ConsoleClient(path: path)
            #expect(try await client.send(.status).status == goodDay())
            let metrics = try await client.send(.metrics).text
            #expect(metrics == PrometheusText.render(goodDay()))
            await #expect(
                throws: ConsoleError(
                    "unknown request \"dance\"; known are status, metrics, doctor, egress, config, "
                        + "confirm, uplinks drill, log follow and log forget"
                )
            ) { try await client.send(ConsoleRequest(command: "dance")) }
        }
    }

    @Test("mode 0660")
    func mode() async throws {
        try await running(server()) {
            var info = stat()
            stat(path, &info)
            #expect(info.st_mode & 0o777 == 0o660)
        }
    }

    @Test("what is no request, or too long a one, is answered in words")
    func nonsense() async throws {
        try await running(server()) {
            for text in ["hello\n", "{}\n", String(repeating: "x", count: 70_000) + "\n"] {
                let answer = try await raw(text)
                #expect(answer.contains("a request is one line of JSON such as"), "\(answer)")
            }
            try await expectService()
        }
    }

    /// The connection that found the server listening may still have its place.
    private func askUntilServed(_ patience: Duration) async throws -> String? {
        for _ in 0..<100 {
            do {
                return try await ConsoleClient(path: path).send(.status, timeout: patience).text
            } catch let error as ConsoleError where error.description.hasPrefix("too many") {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        return nil
    }

    @Test("sixteen callers are served at once, the next one is told so")
    func crowd() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let waiting = Atomic<Int>(0)
        let server = server { _ in
            waiting.add(1, ordering: .relaxed)
            for await _ in gate {}
            return ConsoleReply(text: "late")
        }
        let patience = Duration.seconds(60)
        try await running(server) {
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await askUntilServed(patience) }
                }
                for _ in 0..<3000 where waiting.load(ordering: .relaxed) < 16 {
                    try await Task.sleep(for: .milliseconds(10))
                }
                try #require(waiting.load(ordering: .relaxed) == 16)
                await #expect(throws: ConsoleError("too many connections, at most 16")) {
                    try await ConsoleClient(path: path).send(.status, timeout: patience)
                }
                open.finish()
                for try await answer in group { #expect(answer == "late") }
            }
        }
    }

    @Test("a daemon that hangs is told from one that is gone")
    func hangs() async throws {
        let server = server { _ in
            try? await Task.sleep(for: .seconds(600))
            return ConsoleReply()
        }
        try await running(server) {
            let words =
                "the daemon at \(path) did not answer within 300ms: does it hang? "
                + "See journalctl -u drawbridge"
            await #expect(throws: ConsoleError(words)) {
                try await ConsoleClient(path: path).send(.status, timeout: .milliseconds(300))
            }
        }
    }

    @Test("a dead daemon's socket is replaced, a live one's and a plain file are not")
    func takeOver() async throws {
        let dead = try await Command.run([
            "/usr/bin/python3", "-c",
            "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path,
        ])
        #expect(dead.exit.isSuccess)
        try await running(server()) {
            try await expectService()
            await #expect(
                throws: PathInUse(path: path)
            ) { try await server().run() }
            try await expectService()
        }
        try SmallFile.replace(path, with: Array("precious".utf8))
        await #expect(throws: (any Error).self) { try await server().run() }
        #expect(try SmallFile.readText(path) == "precious")
        unlink(path)
    }

    @Test("no daemon: the reason and what to do")
    func absent() async {
        await #expect(
            throws: ConsoleError(
                "no daemon is listening at \(path): is it running?")
        ) { try await ConsoleClient(path: path).send(.status) }
        let long = "/tmp/" + String(repeating: "x", count: 200)
        await #expect(throws: ConsoleError("cannot connect to \(long): File name too long")) {
            try await ConsoleClient(path: long).send(.status)
        }
    }
}
