import Base
import Console
import Linux
import Testing

@testable import Site

@Suite(
    "Events to a syslog server", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct SiteSyslogTests {
    @Test(
        "behaviour 6.4: events reach a server over TLS, all of them, also those of when it was away"
    )
    func server() async throws {
        try await Site.with { try await Self.server(in: $0) }
    }

    /// A receiver that takes messages apart by their lengths, and notes each on a line.
    private static let receiver = """
        import socket, ssl, sys
        pki, name, path = sys.argv[1:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{pki}/{name}.pem", f"{pki}/{name}.key")
        context.load_verify_locations(f"{pki}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        listener = socket.create_server(("203.0.113.10", 8443))
        while True:
            raw, _ = listener.accept()
            try:
                s = context.wrap_socket(raw, server_side=True)
                f = s.makefile("rb")
                while True:
                    length = b""
                    while (byte := f.read(1)) not in (b" ", b""):
                        assert byte.isdigit()
                        length += byte
                    if not length:
                        break
                    message = f.read(int(length))
                    assert len(message) == int(length)
                    with open(path, "ab") as out:
                        out.write(message + b"\\n")
            except (OSError, AssertionError) as error:
                print(type(error).__name__, error, flush=True)
            finally:
                raw.close()
        """

    private static func received(_ path: String) throws -> [String] {
        guard let text = try? SmallFile.readText(path, bytesMax: 16 << 20) else { return [] }
        return text.split(separator: "\n").map { String($0) }
    }

    private static func numbers(_ lines: [String]) -> [Int] {
        lines.compactMap { line in
            line.firstMatch(of: /drawbridge@32473 number="(\d+)"/).flatMap { Int($0.1) }
        }
    }

    private static func logged(in site: Site) async throws -> Int {
        let text = try await site.output(
            in: .router, [site.programs.daemon, "events", "--json", "--last", "100000"])
        return text.split(separator: "\n").count
    }

    private static func server(in site: Site) async throws {
        let path = site.directory.path + "/syslog"
        let config =
            try Site.shippedConfiguration().replacing("#[syslog]", with: "[syslog]")
            .replacing(
                "#server = \"tls://logs.example.net:6514\"",
                with: "server = \"tls://logs.ixon.net:8443\"\n"
                    + "certificate = \"/etc/drawbridge/pki/device.pem\"\n"
                    + "key = \"/etc/drawbridge/pki/device.key\"")
        func begin(as name: String) async throws -> Part {
            try await site.startBackground(
                in: .cloud, name: "syslog",
                ["python3", "-u", "-c", receiver, site.directory.certificates, name, path])
        }
        func problem() async throws -> String? {
            // It may not listen yet.
            guard let text = try? await site.status() else { return "not yet" }
            return try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
                .problems.first { $0.hasPrefix("syslog: ") }
        }
        // Nobody is there yet; then somebody who is not who it should be.
        try await site.startDaemon(config: config)
        try await site.waitUntil(within: .seconds(20), "that nobody answers is told") {
            let problem = try await problem()
            return problem?.contains("Connection refused") ?? false
                && problem?.contains("events wait for it") ?? false
        }
        let impostor = try await begin(as: "mqtt")
        try await site.waitUntil(within: .seconds(30), "the impostor is named") {
            try await problem()?.contains("is for another host name, mqtt.ixon.net") ?? false
        }
        await impostor.stop()
        #expect(try received(path).isEmpty)
        let first = try await begin(as: "logs")
        try await site.waitUntil(within: .seconds(60), "all events so far") {
            let lines = try received(path)
            let count = try await logged(in: site)
            return lines.contains { $0.contains("drawbridge - cloud ") } && count == lines.count
        }
        #expect(try await problem() == nil)
        // It goes away, the key is turned, the daemon is killed and begins again: nothing is missing.
        await first.stop()
        try await site.turnSwitch(.off)
        try await site.waitUntil(within: .seconds(20), "its absence is told") {
            try await problem() != nil
        }
        try await site.killDaemon()
        try await site.startDaemon()
        _ = try await begin(as: "logs")
        try await site.waitUntil(within: .seconds(60), "the events of when it was away") {
            let lines = try received(path)
            let seen = Set(numbers(lines))
            let count = try await logged(in: site)
            return lines.contains { $0.contains("drawbridge - switch ") }
                && lines.count { $0.contains("drawbridge - start ") } == 2
                && seen == Set(1...count)
        }
        let lines = try received(path)
        #expect(lines.allSatisfy { $0.hasPrefix("<") && $0.contains(">1 20") })
    }
}
