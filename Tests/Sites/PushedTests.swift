import Base
import Console
import Linux
import Testing

@testable import Site

@Suite(
    "Pushed by a program of the router", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(1)))
struct PushedTests {
    @Test(
        "behaviour 8: what was answered with ok is in the cloud, though the daemon is killed at once"
    )
    func killedAfterOK() async throws {
        try await Site.with { try await Self.killedAfterOK(in: $0) }
    }

    @Test("behaviour 8: the router's own state reaches the cloud, and stands among the machines")
    func ownState() async throws {
        try await Site.with { try await Self.ownState(in: $0) }
    }

    private static func ownState(in site: Site) async throws {
        let config = try Site.shippedConfiguration()
            .replacing("[health]", with: "[health]\nevery = \"1s\"")
            .replacing("\nevery = \"1m\"\n", with: "\n")
            .replacing("\nenabled = false", with: "\nenabled = true")
        try await site.startDaemon(config: config)
        try await site.waitUntil(within: .seconds(20), "the router's state in the cloud") {
            let tally = await site.cloud.tally
            return ["uplink.office.carrying", "switch.position", "disk.free-bytes"].allSatisfy {
                tally["router/\($0)"].uniqueCount >= 2
            }
        }
        let document = try ConsoleJSON.decode(
            StatusDocument.self, from: Array(try await site.status().utf8))
        let router = document.machines.first { $0.name == "router" }
        #expect(router?.isConnected ?? false)
        #expect(router?.unrecordedReadings == 0)
    }

    @Test(
        "behaviour 8: a computer of the machine network pushes under its own name; others, and the WAN, do not"
    )
    func overTheNetwork() async throws {
        try await Site.with { try await Self.overTheNetwork(in: $0) }
    }

    /// Connects to the push port, says what stands in its input, and prints what it hears.
    private static let client = """
        import hashlib, hmac, socket, sys
        token = sys.argv[1].encode()
        try:
            s = socket.create_connection(("192.168.140.1", 4470), timeout=3)
            f = s.makefile("r")
            hello = f.readline().rstrip("\\n")
            if hello.startswith("error"):
                print(hello, end="")
                sys.exit()
            proof = hmac.new(token, hello.encode(), hashlib.sha256).hexdigest()
            s.sendall(sys.stdin.read().replace("PROOF", "auth hmi-1 " + proof).encode())
            s.shutdown(socket.SHUT_WR)
            print(f.read(), end="")
        except OSError as error:
            print(type(error).__name__, end="")
        """

    private static func overTheNetwork(in site: Site) async throws {
        let made = try await site.output(in: .router, [site.programs.daemon, "push", "token"])
        let token = String(made.dropLast())
        #expect(token.count == 64)
        let file = site.directory.path + "/hmi-1"
        try SmallFile.replace(file, with: Array(made.utf8), mode: 0o640)
        let config = try Site.shippedConfiguration()
            .replacing("#listen = \"192.168.140.1:4470\"", with: "listen = \"192.168.140.1:4470\"")
            .replacing("#[[push.client]]", with: "[[push.client]]")
            .replacing("#name = \"hmi-1\"", with: "name = \"hmi-1\"")
            .replacing(
                "#token-file = \"/etc/drawbridge/push/hmi-1\"", with: "token-file = \"\(file)\"")
        try await site.startDaemon(config: config)
        func say(_ place: Place, _ text: String, token: String) async throws -> String {
            try await site.output(
                in: place, ["/usr/bin/python3", "-c", client, token], input: text)
        }
        try await site.waitUntil(within: .seconds(10), "the port answers") {
            try await say(.plc, "PROOF\n", token: token) == "ok\n"
        }
        #expect(
            try await say(.plc, "PROOF\nhmi-1 pages=1i\nplc-1 x=1\nhmi-1 pages=2i\n", token: token)
                == "ok\nok\nerror: you are \"hmi-1\" and may not speak for \"plc-1\"\nok\n")
        try await site.waitUntil(within: .seconds(20), "what was pushed in the cloud") {
            await site.cloud.tally["hmi-1/pages"].uniqueCount == 2
        }
        // The company network does not even get an answer.
        #expect(try await say(.office, "PROOF\n", token: token) == "TimeoutError")
        let garbage = String(repeating: "x", count: 8192)
        let noise = try await say(.plc, garbage, token: token)
        #expect(!noise.contains("ok"))
        for _ in 1..<5 {
            #expect(
                try await say(.plc, "PROOF\nhmi-1 pages=3i\n", token: "x" + token)
                    == "error: not authenticated\n")
        }
        #expect(
            try await say(.plc, "PROOF\nhmi-1 pages=4i\n", token: token)
                == "error: too many wrong answers")
        let tally = await site.cloud.tally
        #expect(tally["hmi-1/pages"].uniqueCount == 2)
        #expect(tally["plc-1/x"].uniqueCount == 0)
    }

    private static let program = """
        import os, socket, time
        for _ in range(100):
            if os.path.exists("/run/drawbridge/push.sock"):
                break
            time.sleep(0.1)
        s = socket.socket(socket.AF_UNIX)
        s.connect("/run/drawbridge/push.sock")
        s.sendall(b"mixer turns=1i\\nmixer turns=2i\\nplc-1 turns=9i\\nmixer turns=3i,warm=true\\n")
        answers = s.makefile("r")
        for _ in range(4):
            print(answers.readline().strip())
        """

    private static func killedAfterOK(in site: Site) async throws {
        let config = try Site.shippedConfiguration()
            .replacing("\nenabled = false", with: "\nenabled = true")
        try await site.startDaemon(config: config)
        let said = try await site.run(in: .router, ["/usr/bin/python3", "-c", program])
        try await site.killDaemon()
        #expect(
            said.output == "ok\nok\nerror: the source \"plc-1\" belongs to the router\nok\n",
            "\(said.error)")
        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(20), "what was pushed in the cloud") {
            let tally = await site.cloud.tally
            return tally["mixer/turns"].uniqueCount == 3 && tally["mixer/warm"].uniqueCount == 1
        }
        let tally = await site.cloud.tally
        #expect(tally["mixer/turns"].missingCounts == 0)
        #expect(tally["mixer/turns"].outOfOrder == 0)
        #expect(tally["plc-1/turns"].uniqueCount == 0)
    }
}
