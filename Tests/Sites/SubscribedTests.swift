import Base
import Console
import Linux
import Testing

@testable import Site

@Suite(
    "Subscribed from a broker in the machine network", .enabled(if: Programs.obstacles().isEmpty),
    .serialized, .timeLimit(.minutes(2)))
struct SubscribedTests {
    @Test(
        "behaviour 8: a broker's values reach the cloud; garbage is counted; a dead broker is told, and dialled again"
    )
    func broker() async throws {
        try await Site.with { try await Self.broker(in: $0) }
    }

    private static func source(in site: Site) async throws -> StatusDocument.Machine? {
        // It may not listen yet.
        guard let text = try? await site.status() else { return nil }
        return try ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
            .machines.first { $0.name == "line-broker" }
    }

    private static func broker(in site: Site) async throws {
        let folder = site.directory.path
        let configuration = folder + "/line-broker.conf"
        try site.directory.write(
            """
            listener 1883 192.168.140.10
            allow_anonymous false
            password_file \(folder)/line-broker.users
            persistence false
            user root

            """, to: configuration)
        try site.directory.write("", to: folder + "/line-broker.users")
        try await site.output(
            in: .plc,
            [
                "mosquitto_passwd", "-b", folder + "/line-broker.users", "drawbridge",
                "a word for the machine network",
            ])
        try SmallFile.replace(
            folder + "/password", with: Array("a word for the machine network\n".utf8), mode: 0o640)
        let config =
            try Site.shippedConfiguration() + """

                [[subscribe]]
                name = "line-broker"
                broker = "mqtt://192.168.140.10:1883"
                user = "drawbridge"
                password-file = "\(folder)/password"
                [[subscribe.tag]]
                name = "oven.humidity"
                topic = "plant/oven/climate"
                value = "/humidity"
                [[subscribe.tag]]
                name = "door"
                topic = "plant/door"
                type = "bool"
                log.on = "change"

                """
        func publish(_ topic: String, _ payload: String, _ more: [String] = []) async throws {
            try await site.output(
                in: .plc,
                [
                    "mosquitto_pub", "-h", "192.168.140.10", "-u", "drawbridge", "-P",
                    "a word for the machine network", "-q", "1", "-t", topic, "-m", payload,
                ] + more)
        }
        func begin() async throws -> Part {
            let part = try await site.startBackground(
                in: .plc, name: "line-broker", ["mosquitto", "-c", configuration])
            try await site.waitUntil(within: .seconds(10), "the broker listens") {
                (try? await publish("plant/none", "0")) != nil
            }
            return part
        }
        let first = try await begin()
        try await publish("plant/door", "on", ["-r"])
        try await site.startDaemon(config: config)
        try await site.waitUntil(within: .seconds(20), "the broker is connected") {
            try await source(in: site)?.isConnected ?? false
        }
        for number in 1...5 {
            try await publish("plant/oven/climate", "{\"humidity\": \(40 + number)}")
        }
        try await publish("plant/door", "on")
        try await publish("plant/door", "off")
        try await publish("plant/oven/climate", "\u{7f}garbage")
        try await site.waitUntil(within: .seconds(20), "the values in the cloud") {
            let tally = await site.cloud.tally
            return tally["line-broker/oven.humidity"].uniqueCount == 5
                && tally["line-broker/door"].uniqueCount == 2
        }
        try await site.waitUntil(within: .seconds(10), "the garbage is counted and told") {
            let source = try await source(in: site)
            return source?.errors == 1 && source?.reason.contains("no JSON") ?? false
        }
        let words = try await site.output(in: .router, [site.programs.daemon, "status"])
        #expect(
            words.contains("values a minute, 1 errors\n"), "\(words)")
        #expect(words.contains("last: plant/oven/climate: no JSON"), "\(words)")

        // Its end is told, with a last value of each tag that is marked as bad; the machine is read on meanwhile.
        await first.stop()
        let polled = await site.cloud.tally["plc-1/press.reads"].uniqueCount
        try await site.waitUntil(within: .seconds(20), "the broker is gone") {
            let document = try ConsoleJSON.decode(
                StatusDocument.self, from: Array(try await site.status().utf8))
            return document.problems.contains {
                $0.hasPrefix("machine line-broker gone since ")
                    && $0.contains("mqtt://192.168.140.10:1883: ")
            }
        }
        try await site.waitUntil(within: .seconds(20), "the machine goes on") {
            await site.cloud.tally["plc-1/press.reads"].uniqueCount >= polled + 2
        }
        let before = await site.cloud.tally["line-broker/oven.humidity"].uniqueCount
        #expect(before == 6)
        _ = try await begin()
        try await site.waitUntil(within: .seconds(30), "the broker is connected again") {
            try await source(in: site)?.isConnected ?? false
        }
        try await publish("plant/oven/climate", "{\"humidity\": 50}")
        try await site.waitUntil(within: .seconds(20), "values in the cloud again") {
            await site.cloud.tally["line-broker/oven.humidity"].uniqueCount == before + 1
        }
    }
}
