import ArgumentParser
import Base
import Firewall
import Linux
import Logging
import Site

/// `drawbridge-site firewall`
struct FirewallBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firewall",
        abstract: "Measure our rules beside no firewall, ufw and firewalld, as tables.",
        discussion: "Needs root, and what bench/setup.sh installs.")

    @Option(help: "Rounds in which each firewall has its turn.")
    var rounds = 7

    func validate() throws {
        guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is 1…1000") }
    }

    func run() async throws {
        let rounds = rounds
        let finished = try await Interruption.cancelling {
            try await Site.with { site in
                let bench = RivalBench(site)
                Self.tell(try await bench.costs(rounds: rounds))
                Output.line("")
                Output.line(
                    "| reload | times | for | denied packets a second | leaked | allowed packets | lost |"
                )
                Output.line("|---|---|---|---|---|---|---|")
                for rival in [RivalBench.Firewall.ufw, .firewalld] {
                    Output.row(try await bench.reload(rival))
                }
                Output.line("")
                Output.line(
                    try await site.output(
                        in: .router, [site.programs.site, "element"], timeout: .seconds(60)))
            }
        }
        guard finished else { throw ExitCode(130) }
    }

    private static func tell(_ costs: [RivalBench.Firewall: [Double]]) {
        func median(_ firewall: RivalBench.Firewall) -> Double {
            let sorted = (costs[firewall] ?? []).sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        }
        let bare = median(.none)
        Output.line("| firewall | processor time a packet | added | added, as a share of ours |")
        Output.line("|---|---|---|---|")
        for firewall in RivalBench.Firewall.allCases {
            let cost = median(firewall)
            let ours = median(.few) - bare
            let share = firewall == .none ? "" : "\(Int(((cost - bare) / ours * 100).rounded())) %"
            Output.line(
                "| \(firewall.rawValue) | \(Figure.count(Int(cost))) ns "
                    + "| \(firewall == .none ? "" : "\(Figure.count(Int(cost - bare))) ns") | \(share) |"
            )
        }
    }
}

extension Output {
    /// A row of what happened to two streams while rules were exchanged.
    static func row(_ result: StreamTally.Result) {
        line(
            "| \(result.way) | \(Figure.count(result.reloads)) "
                + "| \(Figure.time(result.duration)) | \(Figure.count(result.deniedRate)) "
                + "| \(Figure.count(result.leaked)) | \(Figure.count(result.allowed)) "
                + "| \(Figure.count(result.lost)) |")
    }
}

/// `drawbridge-site element`
struct ElementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "element",
        abstract: "Time one change of the kernel's rules: the gate's lease, renewed and closed.",
        discussion:
            "Only for the router of the emulated site: it loads rules that let nothing pass.")

    @Option(help: "How often.")
    var count = 2000

    func run() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        try await FirewallService(logger: logger).denyAll()
        let lease = try GateLease(vpnInterface: "vpn0", lanInterface: "br-lan")
        let renewing = try times { try lease.refresh() }
        try lease.refresh()
        let closing = try times { try lease.close() }
        Output.line("| one change by netlink on an open socket | n | p50 | p99 |")
        Output.line("|---|---|---|---|")
        for (what, sorted) in [
            ("the gate's lease renewed (6 elements)", renewing),
            ("the gate closed (4 elements and conntrack)", closing),
        ] {
            let (half, most) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
            Output.line("| \(what) | \(sorted.count) | \(half) µs | \(most) µs |")
        }
    }

    /// Microseconds, sorted.
    private func times(_ body: () throws -> Void) throws -> [Int64] {
        let clock = SystemClock()
        return try (0..<count).map { _ in
            let begun = clock.now()
            try body()
            return (clock.now() - begun).nanoseconds / 1000
        }.sorted()
    }
}
