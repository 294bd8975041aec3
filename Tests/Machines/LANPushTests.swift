import Base
import Glibc
import Linux
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Machines

/// Who may push over the machine network: the first two lines, and how many may try.
@Suite("Push over the machine network")
struct PushGreetingTests {
    private let host = IPv4Address(value: 0xc0a8_8c1e)

    @Test("behaviour 8: HMAC-SHA256 as RFC 4231 has it")
    func keyedHash() {
        let digest = KeyedHash.sha256(
            key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(
            PushToken.text(random: digest)
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(KeyedHash.areEqual(digest, digest))
        #expect(!KeyedHash.areEqual(digest, Array(digest.dropLast())))
        #expect(!KeyedHash.areEqual(digest, [digest[0] ^ 1] + digest.dropFirst()))
    }

    @Test("a token is long and not uniform")
    func tokens() throws {
        let random = try Entropy.bytes(32)
        let other = try Entropy.bytes(32)
        #expect(random.count == 32 && random != other)
        #expect(PushToken(Array(PushToken.text(random: random).utf8)) != nil)
        for text in [
            "", "secret", String(repeating: "a", count: 64), String(repeating: "ab c", count: 9),
            String(repeating: "0123456789abcdef", count: 17), "0123456789abcdef0123456789abcde",
        ] {
            #expect(PushToken(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test("whatever a stranger answers: read whole, or refused")
    func fuzz() throws {
        let greeting = PushGreeting(nonce: Array(0..<32))
        #expect(greeting.line.hasPrefix("drawbridge push 1 000102"))
        let right = Array("auth hmi-1 ".utf8) + Array(repeating: UInt8(ascii: "a"), count: 64)
        #expect(PushGreeting.Answer(right[...])?.name == "hmi-1")
        #expect(PushGreeting.Answer((right + [13])[...])?.proof.count == 32)
        var random = SeededGenerator(seed: 3)
        var taken = 0
        for _ in 0..<40_000 {
            var bytes = right
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.insert(32, at: place)
                case 2: bytes.remove(at: place)
                default: bytes += bytes.prefix(200)
                }
            }
            guard let answer = PushGreeting.Answer(bytes[...]) else { continue }
            taken += 1
            #expect(answer.proof.count == 32)
            #expect((1...Limits.pushedNameBytesMax).contains(answer.name.utf8.count))
        }
        #expect(taken > 300)
    }

    @Test("behaviour 8: five wrong answers shut a host out for a minute, and nobody else")
    func tries() {
        var admission = PushAdmission()
        let other = IPv4Address(value: host.value + 1)
        var now = Instant(nanoseconds: 0)
        for _ in 0..<Limits.pushTriesMax {
            #expect(admission.came(from: host, at: now) == .welcome)
            admission.failed(host, at: now)
            admission.left(host)
            now += .seconds(1)
        }
        #expect(admission.came(from: host, at: now) == .shut)
        #expect(admission.came(from: other, at: now) == .welcome)
        now = Instant(nanoseconds: 0) + Limits.pushTriesPeriod
        #expect(admission.came(from: host, at: now) == .welcome)
        admission.succeeded(host)
        // A network full of hosts that try does not fill the memory, nor forget who tried last.
        for number in 0..<1000 {
            admission.failed(IPv4Address(value: UInt32(number)), at: now + .milliseconds(number))
        }
        let last = IPv4Address(value: 999)
        for _ in 1..<Limits.pushTriesMax { admission.failed(last, at: now + .seconds(1)) }
        #expect(admission.came(from: last, at: now + .seconds(2)) == .shut)
    }

    @Test("connections of one host, and of all, are bounded; one that has left makes room")
    func connections() {
        var admission = PushAdmission()
        let now = Instant(nanoseconds: 0)
        for _ in 0..<Limits.pushConnectionsOfHostMax {
            #expect(admission.came(from: host, at: now) == .welcome)
        }
        #expect(admission.came(from: host, at: now) == .full)
        var others = 0
        for number in 1...100
        where admission.came(from: IPv4Address(value: UInt32(number)), at: now) == .welcome {
            others += 1
        }
        #expect(others == Limits.pushConnectionsMax - Limits.pushConnectionsOfHostMax)
        admission.left(host)
        #expect(admission.came(from: IPv4Address(value: 1000), at: now) == .welcome)
        #expect(admission.came(from: host, at: now) == .full)
    }
}

/// The port itself, on loopback, with a ring that the test holds.
@Suite("Push port", .timeLimit(.minutes(1)))
struct LANPushServiceTests {
    private let folder: TemporaryFolder
    private let token = "0123456789abcdef0123456789ABCDEF"
    private var file: String { folder.path + "/token" }
    private let ring = Ring()

    private final class Ring: Sendable {
        let taken = Mutex<[Reading]>([])
        var sources: [String] { taken.withLock { $0.map(\.source) } }
    }

    init() throws {
        folder = try TemporaryFolder()
        try SmallFile.replace(file, with: Array((token + "\n").utf8), mode: 0o600)
    }

    private func running(_ body: (LANPushService, UInt16) async throws -> Void) async throws {
        let ring = ring
        let port = UInt16.random(in: 20_000..<30_000)
        let service = LANPushService(
            listen: .init(address: IPv4Address(value: 0x7f00_0001), port: port),
            clients: [
                .init(name: "hmi-1", tokenFile: file),
                .init(name: "hmi-2", tokenFile: folder.path + "/nowhere"),
            ],
            conversation: PushConversation(
                sink: { readings in ring.taken.withLock { $0 += readings } }, reserved: { [] },
                clock: SystemClock(), wall: { WallTime(milliseconds: 5) }),
            clock: SystemClock(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let task = Task { try await service.run() }
        defer { task.cancel() }
        try await body(service, port)
        task.cancel()
        _ = await task.result
    }

    /// What a client hears that says this; `PROOF` stands for the right one.
    private func say(
        _ port: UInt16, _ text: String, token: String? = nil, name: String = "hmi-1"
    ) async throws -> String {
        let program = """
            import hashlib, hmac, socket, sys, time
            for _ in range(100):
                try:
                    s = socket.create_connection(("127.0.0.1", \(port)), timeout=8)
                    break
                except ConnectionRefusedError:
                    time.sleep(0.1)
            f = s.makefile("r")
            hello = f.readline().rstrip("\\n")
            if hello.startswith("error"):
                print(hello)
                sys.exit()
            proof = hmac.new(b"\(token ?? self.token)", hello.encode(), hashlib.sha256).hexdigest()
            text = sys.stdin.read().replace("PROOF", "auth \(name) " + proof)
            try:
                s.sendall(text.encode())
                s.shutdown(socket.SHUT_WR)
                print(f.read(), end="")
            except OSError:
                print("reset")
            """
        let result = try await Command.run(["/usr/bin/python3", "-c", program], input: text)
        #expect(result.exit == .status(0), "\(result.error)")
        return result.output
    }

    @Test("behaviour 8: who proves its token speaks for its own name, and for no other")
    func speaks() async throws {
        try await running { service, port in
            let heard = try await say(port, "PROOF\nhmi-1 x=1i\nplc-1 x=2i\nhmi-1 x=oops\n")
            #expect(
                heard == """
                    ok
                    ok
                    error: you are "hmi-1" and may not speak for "plc-1"
                    error: "oops" is no value: 12.5, 12i, true, false or "text"

                    """)
            #expect(ring.sources == ["hmi-1"])
            let trouble = await service.trouble
            #expect(trouble?.hasPrefix("client hmi-2: cannot read") ?? false)
        }
    }

    @Test("behaviour 8: a wrong token, another's name, noise and silence record nothing")
    func refused() async throws {
        try await running { _, port in
            let no = "error: not authenticated\n"
            #expect(try await say(port, "PROOF\nhmi-1 x=1\n", token: token + "x") == no)
            #expect(try await say(port, "PROOF\nhmi-2 x=1\n", name: "hmi-2") == no)
            #expect(try await say(port, "hmi-1 x=1\n") == no)
            // Our hanging up on bytes that nobody reads is a reset: the words may get lost.
            let noise = try await say(port, String(repeating: "x", count: 8192))
            #expect([no, "reset\n", ""].contains(noise))
            // It says nothing, and leaves.
            #expect(try await say(port, "") == "")
            #expect(try await say(port, "auth nobody 00\n") == no)
            #expect(
                try await say(port, "PROOF\nhmi-1 x=1\n") == "error: too many wrong answers\n")
            #expect(ring.sources.isEmpty)
        }
    }

    @Test("behaviour 8: a fifth connection of a host is told so, and one that has left makes room")
    func tooMany() async throws {
        try await running { _, port in
            #expect(try await say(port, "PROOF\n") == "ok\n", "it listens")
            let program = """
                import socket, time
                def hear():
                    s = socket.create_connection(("127.0.0.1", \(port)), timeout=8)
                    return s, s.makefile("r").readline().split(" ")[0]
                held = [hear() for _ in range(5)]
                print(*[word for _, word in held])
                held[0][0].shutdown(socket.SHUT_RDWR)
                time.sleep(0.5)
                print(hear()[1])
                """
            let result = try await Command.run(["/usr/bin/python3", "-c", program])
            #expect(
                result.output
                    == "drawbridge drawbridge drawbridge drawbridge error:\ndrawbridge\n",
                "\(result.error)")
        }
    }

    @Test("behaviour 8: a token that others may read, or that is short, is none, and is told")
    func badFiles() async throws {
        try await running { service, port in
            #expect(try await say(port, "PROOF\n") == "ok\n")
            chmod(file, 0o644)
            #expect(try await say(port, "PROOF\n") == "error: not authenticated\n")
            let open = await service.trouble
            #expect(open?.contains("is not private: make it chmod 0640") ?? false)
            try SmallFile.replace(file, with: Array("secret".utf8), mode: 0o600)
            #expect(
                try await say(port, "PROOF\n", token: "secret") == "error: not authenticated\n")
            let short = await service.trouble
            #expect(short?.contains("is not 32 to 256 random") ?? false)
            let other = String(token.reversed())
            try SmallFile.replace(file, with: Array(other.utf8), mode: 0o600)
            #expect(try await say(port, "PROOF\n", token: other) == "ok\n")
        }
    }

    @Test("behaviour 8: the network client that docs/push.md shows is a source")
    func example() async throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try SmallFile.readText("/" + root + "/docs/push.md")
        let program = try #require(
            page.split(separator: "```python\n").last?.split(separator: "\n```").first)
        #expect(program.split(separator: "\n").count <= 25)
        try await running { _, port in
            #expect(try await say(port, "PROOF\n") == "ok\n", "it listens")
            let here = program.replacing("192.168.140.1", with: "127.0.0.1")
                .replacing("4470", with: "\(port)")
                .replacing("hmi-1.token", with: file).replacing("time.sleep(10)", with: "break")
            let result = try await Command.run(["/usr/bin/python3", "-c", String(here)])
            #expect(result.exit == .status(0), "\(result.error)")
            #expect(ring.sources == ["hmi-1", "hmi-1"])
        }
    }
}
