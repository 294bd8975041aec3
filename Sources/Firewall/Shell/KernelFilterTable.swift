package import Base
package import Linux

/// The kernel's table `inet drawbridge`: written by an `nft` child, read by netlink.
///
/// The `nft` library's licence does not go with ours in one process; a child has its own.
package struct KernelFilterTable: FilterTable {
    private final class Reader: Sendable {
        let table: NFTablesTable
        let sets: NFTablesSetReader
        let watch: NFTablesWatch
        let entries = KernelEntries()
        init() throws(SystemError) {
            table = try NFTablesTable(name: Ruleset.table)
            sets = try NFTablesSetReader()
            watch = try NFTablesWatch(table: Ruleset.table)
        }
    }

    private static let program = "/usr/sbin/nft"
    /// A load takes some 20 ms on a quiet machine.
    private static let loadTimeout: Duration = .seconds(10)
    /// Most of `nft`'s complaint that is passed on, in characters.
    private static let complaintMax = 400

    private let reader: Reader

    package init() throws(SystemError) {
        reader = try Reader()
    }

    package func load(_ text: String) async throws {
        let result = try await Command.run(
            [Self.program, "-f", "-"], input: text, timeout: Self.loadTimeout)
        guard !result.exit.isSuccess else { return }
        let complaint = result.error.split(separator: "\n").joined(separator: " ")
        throw FirewallError.refused(
            reason: "\(Self.program) ended with \(result.exit): "
                + complaint.prefix(Self.complaintMax))
    }

    package func read() throws -> InstalledTable {
        var chains: [String: InstalledTable.Chain] = [:]
        for chain in try reader.table.chains() {
            chains[chain.name] = InstalledTable.Chain(
                hook: chain.base.flatMap { Self.hook($0) },
                dropsByDefault: chain.base?.dropsByDefault ?? false, rules: [])
        }
        for rule in try reader.table.rules() { chains[rule.chain]?.rules.append(rule.bytes) }
        return InstalledTable(chains: chains)
    }

    package func counters() throws -> [FirewallStatus.Counter] {
        try reader.table.counters().map {
            FirewallStatus.Counter(name: $0.name, packets: $0.packets, bytes: $0.bytes)
        }
    }

    package func hits(_ set: ExceptionSet) throws -> [ExceptionHits.Sample] {
        try reader.sets.elements(table: Ruleset.table, set: set.name).map {
            ExceptionHits.Sample(
                key: $0.key, keyEnd: $0.keyEnd, packets: $0.packets, bytes: $0.bytes)
        }
    }

    package func refused(_ zone: AttackSigns.Zone) throws -> [RefusedPackets] {
        try reader.sets.elements(table: Ruleset.table, set: Ruleset.refused(zone)).compactMap {
            RefusedPackets(zone: zone, key: $0.key, packets: $0.packets)
        }.sorted { $0.packets > $1.packets }
    }

    package func conntrackPercent() -> UInt64? {
        let numbers = ["nf_conntrack_count", "nf_conntrack_max"].map { name in
            (try? reader.entries.line("/proc/sys/net/netfilter/\(name)")).flatMap {
                UInt64(String(decoding: $0, as: UTF8.self))
            }
        }
        guard let used = numbers[0], let room = numbers[1], room > 0 else { return nil }
        return used * 100 / room
    }

    package func openAddresses() throws -> [OpenAddress] {
        try reader.sets.timedKeys(table: Ruleset.table, set: Ruleset.cloudSet).compactMap { timed in
            timed.key[...].number(at: 0, as: UInt32.self).map {
                OpenAddress(
                    address: IPv4Address(value: UInt32(bigEndian: $0)), remaining: timed.remaining)
            }
        }.sorted { $0.address < $1.address }
    }

    package func waitForForeignChange(until deadline: Instant) async throws -> ForeignChange? {
        while true {
            let outcome = try await Reactor.shared.wait(
                for: .readable, on: reader.watch.descriptor, until: deadline)
            if outcome == .timedOut { return nil }
            let others = try reader.watch.changes()
            guard let first = others.first else { continue }
            return ForeignChange(
                by: first.thread ?? "unknown",
                touchesElements: others.contains { !$0.touchesRules })
        }
    }

    /// `enum nf_inet_hooks`, and the priorities that nft's words stand for.
    private static func hook(_ base: NFTablesTable.Chain.Base) -> Ruleset.Hook? {
        switch (base.hook, base.priority) {
        case (1, 0): .input
        case (2, 0): .forward
        case (3, 0): .output
        case (0, -150): .prerouting
        case (0, -100): .destinationNAT
        case (4, 100): .sourceNAT
        default: nil
        }
    }
}
