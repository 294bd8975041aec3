import Base
import Glibc
package import Linux
import Synchronization

/// The way between VPN and LAN, open only while somebody keeps saying so.
///
/// Opening is a lease: two elements of the verdict map `gate` that the kernel removes by itself after
/// `duration`. A daemon that hangs or dies therefore closes the gate. The calls are synchronous, made
/// for a real-time thread: the messages are built beforehand, the socket stays open, nothing is
/// allocated.
///
/// Where the kernel knows tables that end with their owner (Linux 5.12), the lease also holds a grant: the
/// rules behind the gate let pass only what the table `drawbridge-grant` has marked, so that the death of
/// this process closes the gate within milliseconds instead of at the end of the lease.
package final class GateLease: Sendable {
    private struct State: ~Copyable {
        var socket: NFTablesSocket
        var refresh: NFTablesBatch
        var close: NFTablesBatch
        var deleteInward: NFTablesBatch
        var deleteOutward: NFTablesBatch
    }

    /// How long the gate stays open after a refresh: a daemon that hangs is cut off within half a second, the
    /// kernel's and the packet's own delay included.
    package static let durationDefault: Duration = .milliseconds(480)

    private let state: Mutex<State>
    /// For looking only: an order to close never waits for an ordinary thread that asks for the state.
    private let reader: Mutex<NFTablesSocket>
    private let inwardKey: [UInt8]
    private let connections: Mutex<ConntrackFlush?>
    private let grant: NFTablesGrant?
    /// Why the kernel gave no grant; nil: it did, or none was asked for.
    package let grantTrouble: SystemError?

    /// Whether the gate also closes with this process; the rules must ask for the mark just then
    /// (`FirewallPolicy.needsGrant`).
    package var holdsGrant: Bool { grant != nil }

    /// `withGrant: false` leaves the death of this process to the lease.
    package init(
        vpnInterface: String, lanInterface: String, duration: Duration = durationDefault,
        withGrant: Bool = false
    ) throws(SystemError) {
        let inward = NFTablesElement(
            key: NFTablesElement.key(vpnInterface, lanInterface), timeout: duration,
            goto: Ruleset.vpnToLANChain)
        let outward = NFTablesElement(
            key: NFTablesElement.key(lanInterface, vpnInterface), timeout: duration,
            goto: Ruleset.lanToVPNChain)
        let add = NFTablesBatch.Change.add(set: Ruleset.gateMap, [inward, outward])
        let delete = NFTablesBatch.Change.delete(set: Ruleset.gateMap, [inward, outward])
        func deleteOnly(_ element: NFTablesElement) -> NFTablesBatch {
            NFTablesBatch(
                table: Ruleset.table, [.delete(set: Ruleset.gateMap, [element])])
        }
        state = Mutex(
            State(
                socket: try NFTablesSocket(),
                // Kernels before 6.12 ignore a new time-out for an element that exists.
                refresh: NFTablesBatch(table: Ruleset.table, [add, delete, add]),
                // Deleting what is not there would undo the batch: what was there would stay.
                close: NFTablesBatch(table: Ruleset.table, [add, delete]),
                deleteInward: deleteOnly(inward), deleteOutward: deleteOnly(outward)))
        reader = Mutex(try NFTablesSocket())
        inwardKey = inward.key
        // A kernel without conntrack netlink: what was open is closed all the same.
        connections = Mutex(try? ConntrackFlush(mark: ConnectionMark.vpn.rawValue))
        do throws(SystemError) {
            grant =
                withGrant
                ? try NFTablesGrant(
                    table: Self.grantTable(), mark: Ruleset.grantMark, between: vpnInterface,
                    and: lanInterface, realTimePriority: 30) : nil
            grantTrouble = nil
        } catch {
            grant = nil
            grantTrouble = error
        }
    }

    /// Opens the gate, or keeps it open, for `duration` from now.
    package func refresh() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            try state.socket.commit(&state.refresh, "open the VPN gate in the firewall")
        }
    }

    /// Closes the gate: when this returns no packet passes, established or not.
    ///
    /// Closing a closed gate, or one whose firewall is not loaded yet, is no error.
    package func close() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            do throws(SystemError) {
                try state.socket.commit(&state.close, Self.closing)
            } catch {
                // The adding half can be refused (no memory, no table): then delete one by one.
                let first = Self.remaining(&state.socket, &state.deleteInward)
                let second = Self.remaining(&state.socket, &state.deleteOutward)
                if let error = first ?? second { throw error }
            }
        }
        // Only so that an old session does not go on when the key is on again: nothing passes already, and
        // a refusal changes nothing about that.
        connections.withLock { try? $0?.run() }
    }

    /// Whether the gate is open now, as the kernel has it.
    package func isOpen() throws(SystemError) -> Bool {
        try reader.withLock { reader throws(SystemError) in
            try reader.contains(table: Ruleset.table, set: Ruleset.gateMap, key: inwardKey)
        }
    }

    /// A name of its own for each lease: while a changed config takes over, two hold a grant.
    private static func grantTable() -> String {
        let number = grants.wrappingAdd(1, ordering: .relaxed).oldValue
        return number == 0 ? Ruleset.grantTable : "\(Ruleset.grantTable)-\(number)"
    }

    private static let grants = Atomic(0)

    private static let closing = "close the VPN gate in the firewall"

    /// Deletes an element; nil when it is gone, also because there is no such element, map or table.
    private static func remaining(
        _ socket: inout NFTablesSocket, _ batch: inout NFTablesBatch
    ) -> SystemError? {
        do throws(SystemError) {
            try socket.commit(&batch, closing)
            return nil
        } catch {
            return error.code == ENOENT ? nil : error
        }
    }
}
