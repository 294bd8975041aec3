import Base
import Glibc
package import Linux

/// The connections of each uplink in the kernel: marked and counted by rules of ours, forgotten by ctnetlink.
///
/// All sockets are opened by the thread (and in the network namespace) that makes it.
package actor KernelFlows: FlowTable {
    private static let program = "/usr/sbin/nft"
    /// Most clients' connections that are reset after one failure.
    package static let resetsMax = 4096
    /// How long their challenges are waited for, and when those that are silent are asked again.
    static let resetTime = Duration.milliseconds(250)
    static let askAgain = Duration.milliseconds(60)
    /// How long a moment right after a reply is waited for, and the time between two looks, in microseconds.
    static let replyTime = Duration.milliseconds(100)
    private static let lookEvery: UInt32 = 200
    /// Questions sent in one go before answers are read, so that the socket's buffer holds them.
    private static let questionsMax = 64

    private let thread = ThreadExecutor(name: "flows")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    private let table: NFTablesTable
    private let connections: NetlinkSocket
    private let neighbours: NetlinkSocket
    private let clock = SystemClock()

    package init() throws(SystemError) {
        table = try NFTablesTable(name: FlowRules.table)
        connections = try NetlinkSocket(family: 12)
        neighbours = try NetlinkSocket(family: 0)
    }

    package func install(_ rules: FlowRules) async throws {
        let result = try await Command.run([Self.program, "-f", "-"], input: rules.text)
        guard !result.exit.isSuccess else { return }
        let complaint = result.error.split(separator: "\n").joined(separator: " ")
        throw FlowTrouble(
            description: "cannot install table inet \(FlowRules.table): \(complaint.prefix(400))")
    }

    /// On the caller's thread: the kernel answers within microseconds, and is asked again and again by one caller.
    package nonisolated func counts(uplinks: Int) throws -> [TrafficCount] {
        let counters = try table.counters()
        let byName = Dictionary(counters.map { ($0.name, $0) }) { first, _ in first }
        return try (0..<uplinks).map { number in
            guard let out = byName[FlowRules.outCounter(number)],
                let back = byName[FlowRules.inCounter(number)]
            else {
                throw SystemError(
                    "read the counters of table inet \(FlowRules.table)", code: ENOENT)
            }
            return TrafficCount(
                packetsOut: out.packets, packetsIn: back.packets, bytes: out.bytes &+ back.bytes)
        }
    }

    package func forget(uplink: Int, gently: Bool) throws -> ForgottenFlows {
        let datagrams = Conntrack.MarkFilter(
            mark: FlowRules.mark(uplink) | FlowRules.datagrams, mask: FlowRules.markMask)
        let others = Conntrack.MarkFilter(
            mark: FlowRules.mark(uplink), mask: FlowRules.connectionMask)
        if gently { waitForReply(on: uplink) }
        let begin = clock.now()
        try connections.forgetConnections(datagrams)
        // A list takes the kernel several times as long as a deletion: 20 ms with 262,144 buckets.
        let listed = try connections.listConnections(others)
        try connections.forgetConnections(others)
        let forgotten = clock.now() - begin
        let dead = listed.lazy.flatMap { Conntrack.connections(in: $0) }.prefix(Self.resetsMax)
        let reset = dead.isEmpty ? 0 : try reset(Array(dead))
        return ForgottenFlows(time: forgotten, resets: reset)
    }

    /// Returns right after a reply has come in, or when none did for a while.
    private func waitForReply(on uplink: Int) {
        let name = FlowRules.inCounter(uplink)
        func replies() -> UInt64? {
            (try? table.counters())?.first { $0.name == name }?.packets
        }
        let end = clock.now() + Self.replyTime
        let before = replies()
        while clock.now() < end, let before, replies() == before { usleep(Self.lookEvery) }
    }

    /// Resets connections at their clients, as far as these are neighbours; returns how many.
    private func reset(_ dead: [Conntrack.Connection]) throws(SystemError) -> Int {
        let hosts = try Neighbour.all(neighbours)
        var byInterface: [Int32: [Conntrack.Connection: [UInt8]]] = [:]
        for connection in dead {
            guard let host = hosts[connection.client] else { continue }
            byInterface[host.interfaceIndex, default: [:]][connection] = host.hardware
        }
        var count = 0
        for (index, clients) in byInterface { count += try reset(clients, on: index) }
        return count
    }

    private func reset(_ clients: [Conntrack.Connection: [UInt8]], on index: Int32)
        throws(SystemError) -> Int
    {
        let socket = try PacketSocket(interfaceIndex: index)
        let end = clock.now() + Self.resetTime
        var open = clients
        for _ in 0..<3 where !open.isEmpty {
            var asked = 0
            for (connection, hardware) in open {
                try? socket.send(ResetPacket.question(connection), to: hardware)
                asked += 1
                if asked.isMultiple(of: Self.questionsMax) {
                    answer(&open, on: socket, until: clock.now() + .milliseconds(2))
                }
            }
            answer(&open, on: socket, until: min(end, clock.now() + Self.askAgain))
        }
        return clients.count - open.count
    }

    private func answer(
        _ open: inout [Conntrack.Connection: [UInt8]], on socket: borrowing PacketSocket,
        until end: Instant
    ) {
        while !open.isEmpty, case let rest = end - clock.now(), rest > .zero {
            guard let packet = try? socket.receive(bytesMax: 128, within: rest) else { return }
            guard let (connection, number) = ResetPacket.challenge(packet),
                let hardware = open.removeValue(forKey: connection)
            else { continue }
            try? socket.send(ResetPacket.reset(connection, sequence: number), to: hardware)
        }
    }
}

/// Why the connections of the uplinks cannot be told apart, in words.
package struct FlowTrouble: Error, CustomStringConvertible {
    package let description: String
}
