import Base
import Linux

/// Closed: what an attacker in the company network finds, and what the router itself may not do.
extension Story {
    /// A host in the office scans the router and tries the machine behind it.
    package func attackerTries() async throws -> [Promise] {
        tell(.chapter("A host in the office scans the router and tries the PLC"))
        let answers = try await reachableFromOffice()
        tell(
            .seen(
                "65,535 TCP ports and 100 UDP ports: "
                    + (answers.isEmpty ? "no answer" : Self.words(answers))))
        try await site.output(
            in: .office,
            ["ip", "route", "replace", "192.168.140.0/24", "via", Self.routerInOffice])
        tell(.done("the office host routes the machine's network to the router"))
        let ping = try await site.ping(from: .office, to: "\(Site.machineAddress)")
        let read = (try? await site.readMachine(from: .office)) != nil
        let outward = try await connects(from: .plc, to: "10.1.0.66", port: 22)
        let internet = try await site.ping(from: .plc, to: "1.1.1.1")
        let crossings = [
            ping ? "ping" : nil, read ? "Modbus" : nil, outward ? "PLC to office" : nil,
            internet ? "PLC to internet" : nil,
        ].compactMap { $0 }
        return [
            put(
                "nothing on the router answers the company network",
                "\(answers.count) of 65,535 TCP and 100 UDP ports", isKept: answers.isEmpty),
            put(
                "nothing crosses between company network and machine",
                crossings.isEmpty ? "0 of 4 ways (ping, TCP) passed" : "\(crossings)",
                isKept: crossings.isEmpty),
        ]
    }

    /// The router's own programs may reach only what the config file lists.
    package func routerStaysOnItsList() async throws -> [Promise] {
        tell(.chapter("A program on the router tries to reach other places"))
        var passed: [String] = []
        for name in ["evil.example", "alias.ixon.net"] {
            let answer = try await site.run(in: .router, ["getent", "ahostsv4", name])
            if answer.exit.isSuccess { passed.append(name) }
        }
        if try await connects(from: .router, to: "1.1.1.1", port: 443) {
            passed.append("1.1.1.1:443")
        }
        if try await connects(from: .router, to: "203.0.113.10", port: 22) {
            passed.append("cloud:22")
        }
        let listed = try await site.run(in: .router, ["getent", "ahostsv4", "mqtt.ixon.net"])
        tell(
            .seen(
                "evil.example, an alias that leads there, a foreign address, a foreign port: "
                    + (passed.isEmpty ? "refused" : "passed \(passed)")))
        return [
            put(
                "the router itself reaches only listed names and ports",
                passed.isEmpty ? "0 of 4 passed; mqtt.ixon.net resolves" : "passed: \(passed)",
                isKept: passed.isEmpty && listed.exit.isSuccess)
        ]
    }

    static let routerInOffice = "10.1.0.2"

    /// Every port of the router that answers a host in the office, as `tcp/22`.
    func reachableFromOffice() async throws -> [String] {
        let common = [
            "nmap", "-n", "-Pn", "--max-retries", "0", "-T5", "--min-rate", "20000",
            "--host-timeout", "60s", "-oG", "-", Self.routerInOffice,
        ]
        async let tcp = site.output(in: .office, common + ["-sS", "-p-"], timeout: .seconds(90))
        async let udp = site.output(
            in: .office, common + ["-sU", "--top-ports", "100"], timeout: .seconds(90))
        return try await [tcp, udp].flatMap { output in
            // A host that was not found, or was given up, has no answers either.
            guard output.contains("Ports: ") else {
                throw SiteError(
                    "the office host cannot scan \(Self.routerInOffice), so nothing is proved: \(output)"
                )
            }
            return Self.answers(in: output)
        }
    }

    /// The first few of them, for a line of the commentary.
    static func words(_ answers: [String]) -> String {
        answers.prefix(5).joined(separator: ", ")
            + (answers.count > 5 ? " and \(Figure.count(answers.count - 5)) more" : "")
    }

    /// Ports that gave any sign of life in nmap's greppable output: open, or closed by a reset.
    static func answers(in output: String) -> [String] {
        output.split(separator: "\n").filter { $0.contains("Ports: ") }.flatMap { line in
            line.split(separator: ",").compactMap { port -> String? in
                let fields = port.split(separator: "/", omittingEmptySubsequences: false)
                guard fields.count > 2, ["open", "closed", "unfiltered"].contains(fields[1]) else {
                    return nil
                }
                let number = fields[0].split(separator: " ").last ?? ""
                return "\(fields[2])/\(number)"
            }
        }
    }

    /// Whether a TCP connection can be made within a second.
    private func connects(from place: Place, to address: String, port: Int) async throws -> Bool {
        try await site.run(
            in: place, ["timeout", "1", "bash", "-c", ": < /dev/tcp/\(address)/\(port)"]
        ).exit.isSuccess
    }
}
