import Base
import Linux

/// What a round of fuzzing showed.
package struct FuzzRound: Sendable {
    package var sent = 0
    package var arrived = 0
    package var crossed = 0
    package var answered = 0
    package var findings: [String] = []
    /// What kind of packets the answers were, and how many.
    package var kinds: [String: Int] = [:]

    /// Takes in what a watcher has printed.
    mutating func add(_ log: String, of watcher: String) {
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 4, words[0] == "crossed" {
                crossed += Int(words[1]) ?? 0
                answered += Int(words[3]) ?? 0
            } else if words.count == 3, words[0] == "kind" {
                kinds[String(words[1]), default: 0] += Int(words[2]) ?? 0
            } else if words.first == "first" {
                findings.append("\(watcher): \(line)")
            }
        }
    }
}

extension Site {
    /// Sends `count` frames of `FuzzPackets` from the office host and as many from the machine, at once, and
    /// watches where they could come out; `meanwhile` runs beside them.
    ///
    /// The router's frames to the sender count as answers, but Modbus to the machine.
    package func fuzz(
        count: Int, seed: UInt64, meanwhile: @Sendable () async throws -> Void = {}
    ) async throws -> FuzzRound {
        let outside = try await hardwareAddress(of: "eth0")
        let inside = try await hardwareAddress(of: "br-lan")
        let before = try await framesReceived()
        var watchers: [Part] = []
        for (place, interface, router) in [
            (Place.office, "eth0", outside), (.plc, "eth0", inside), (.cloud, "eth0", nil),
            (.ispB, "router", nil), (.ispC, "router", nil), (.internet, "isp-a", nil),
        ] {
            let watcher = try startBackground(
                in: place, name: "fuzz-watch",
                [programs.site, "fuzz-watch", "--interface", interface]
                    + (router.map { ["--router", $0] } ?? []))
            try await watcher.waitUntilReady(saying: "watching", within: options.readyWithin)
            watchers.append(watcher)
        }
        let limit = Duration.seconds(30 + count / 2000)
        async let wan = output(
            in: .office,
            [
                programs.site, "fuzz", "--router", outside, "--side", "wan", "--count", "\(count)",
                "--seed", "\(seed)",
            ], timeout: limit)
        async let lan = output(
            in: .plc,
            [
                programs.site, "fuzz", "--router", inside, "--side", "lan", "--count", "\(count)",
                "--seed", "\(seed + 1)",
            ], timeout: limit)
        try await meanwhile()
        var round = FuzzRound()
        for output in try await [wan, lan] {
            round.sent +=
                output.split(separator: " ").last.flatMap {
                    Int($0.filter(\.isNumber))
                } ?? 0
        }
        try await Task.sleep(for: .milliseconds(200))
        round.arrived = try await framesReceived() - before
        for watcher in watchers {
            await watcher.stop()
            round.add(
                try SmallFile.readText(directory.log(watcher.name)), of: watcher.name)
        }
        return round
    }

    func hardwareAddress(of interface: String) async throws -> String {
        let text = try await output(in: .router, ["cat", "/sys/class/net/\(interface)/address"])
        return String(text.prefix { $0 != "\n" })
    }

    /// What has come in at the router's office uplink and LAN.
    func framesReceived() async throws -> Int {
        let text = try await output(
            in: .router,
            [
                "cat", "/sys/class/net/eth0/statistics/rx_packets",
                "/sys/class/net/lan0/statistics/rx_packets",
            ])
        return text.split(separator: "\n").compactMap { Int($0) }.reduce(0, +)
    }
}
