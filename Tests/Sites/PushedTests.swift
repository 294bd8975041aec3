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
