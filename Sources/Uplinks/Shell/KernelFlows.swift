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
    /// How often they are asked, and how long their answers are waited for each time.
    private static let questions = 3
    static let askAgain = Duration.milliseconds(80)
    /// How long a moment right after a reply is waited for, and the time between two looks, in microseconds.
    static let replyTime = Duration.milliseconds(100)
    private static let lookEvery: UInt32 = 200
    /// Between the end of the datagrams' entries and the list of the others. While it lists, the kernel holds up every packet
    /// of that processor: what has moved may have its first answers before.
    private static let pauseBeforeList = Duration.milliseconds(20)

    /// Until their entries are gone, datagrams leave with the address of the dead uplink, and are lost: meanwhile the cloud,
    /// the VPN and the clients connect anew, and may not come first.
    private let thread = ThreadExecutor(name: "flows", isUrgent: true)
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// Asked on the caller's thread by `counts`, and by nobody else: two that ask on one socket read each other's answers.
    private let traffic: NFTablesTable
    /// Asked on this actor's thread.
    private let table: NFTablesTable
    private let connections: NetlinkSocket
    private let clock = SystemClock()

    package init() throws(SystemError) {
        traffic = try NFTablesTable(name: FlowRules.table)
        table = try NFTablesTable(name: FlowRules.table)
        connections = try NetlinkSocket(family: 12)
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
        let counters = try traffic.counters()
        func counter(_ name: String) -> NFTablesTable.Counter? {
            counters.first { $0.name == name }
        }
        return try (0..<uplinks).map { number in
            guard let out = counter(FlowRules.outCounter(number)),
                let back = counter(FlowRules.inCounter(number))
            else {
                throw SystemError(
                    "read the counters of table inet \(FlowRules.table)", code: ENOENT)
            }
            return TrafficCount(
                packetsOut: out.packets, packetsIn: back.packets, bytes: out.bytes &+ back.bytes)
        }
    }

    package func forget(uplink: Int, gently: Bool, isWanted: @Sendable () -> Bool) throws
        -> ForgottenFlows
    {
        let datagrams = Conntrack.MarkFilter(
            mark: FlowRules.mark(uplink) | FlowRules.datagrams, mask: FlowRules.markMask)
        // Also datagrams that were missed: each packet on its way through the rules has that bit cleared for a moment.
        let others = Conntrack.MarkFilter(
            mark: FlowRules.mark(uplink), mask: FlowRules.connectionMask)
        if gently { waitForReply(on: uplink) }
        guard isWanted() else { return ForgottenFlows(time: .zero, resets: 0) }
        let begin = clock.now()
        try connections.forgetConnections(datagrams)
        var forgotten = clock.now() - begin
        if !gently { usleep(UInt32(Self.pauseBeforeList.nanoseconds / 1000)) }
        guard isWanted() else { return ForgottenFlows(time: forgotten, resets: 0) }
        let again = clock.now()
        // A list takes the kernel several times as long as a deletion: 20 ms with 262,144 buckets.
        let listed = try connections.listConnections(others)
        guard isWanted() else { return ForgottenFlows(time: forgotten, resets: 0) }
        try connections.forgetConnections(others)
        forgotten += clock.now() - again
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

    /// Has connections reset at their clients; returns how many were, as far as one can tell from the kernel's count.
    private func reset(_ dead: [Conntrack.Connection]) throws(SystemError) -> Int {
        let socket = try PacketSocket(mark: FlowRules.question)
        let before = refused()
        var count = 0
        for _ in 0..<Self.questions where count < dead.count {
            for connection in dead {
                // A client that has gone, or whose queue is full, is asked again.
                try? socket.send(ResetPacket.question(connection), to: connection.client)
            }
            let end = clock.now() + Self.askAgain
            repeat {
                usleep(Self.lookEvery)
                count = min(dead.count, Int(clamping: refused() &- before))
            } while count < dead.count && clock.now() < end
        }
        return count
    }

    /// Packets that the rules have answered by a reset.
    private func refused() -> UInt64 {
        (try? table.counters())?.first { $0.name == FlowRules.resetCounter }?.packets ?? 0
    }
}

/// Why the connections of the uplinks cannot be told apart, in words.
package struct FlowTrouble: Error, CustomStringConvertible {
    package let description: String
}
