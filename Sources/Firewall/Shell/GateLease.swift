import Base
import Glibc
package import Linux
import Synchronization

/// The way between VPN and LAN, open only while somebody keeps saying so.
///
/// Opening is a lease: two elements of the set `vpn_gate` that the kernel removes by itself after
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
        /// The uplinks alone.
        var refreshUplinks: NFTablesBatch
        var close: NFTablesBatch
        /// VPN and LAN alone.
        var closeRemote: NFTablesBatch
        /// For each element one that deletes it; those of VPN and LAN come first.
        var deletions: [NFTablesBatch]
    }

    /// How long the gate stays open after a refresh: a daemon that hangs is cut off within half a second, the
    /// kernel's and the packet's own delay included.
    package static let durationDefault: Duration = .milliseconds(480)

    private let state: Mutex<State>
    /// For looking only: an order to close never waits for an ordinary thread that asks for the state.
    private let reader: Mutex<NFTablesSocket>
    private let inwardKey: [UInt8]
    /// The first uplink's; nil: the key does not cut the uplinks.
    private let uplinkKey: [UInt8]?
    private let connections: Mutex<ConntrackFlush?>
    private let remoteConnections: Mutex<ConntrackFlush?>
    private let grant: NFTablesGrant?
    /// Why the kernel gave no grant; nil: it did, or none was asked for.
    package let grantTrouble: SystemError?

    /// Whether the gate also closes with this process; the rules must ask for the mark just then
    /// (`FirewallPolicy.needsGrant`).
    package var holdsGrant: Bool { grant != nil }

    /// `uplinks`: the interfaces that are held open by the same lease, if the key cuts them, too.
    /// `withGrant: false` leaves the death of this process to the lease.
    package init(
        vpnInterface: String?, lanInterface: String, uplinks: [String] = [],
        duration: Duration = durationDefault, withGrant: Bool = false
    ) throws(SystemError) {
        let remote = vpnInterface.map { vpn in
            [
                NFTablesElement(
                    key: NFTablesElement.key(vpn, lanInterface), timeout: duration),
                NFTablesElement(
                    key: NFTablesElement.key(lanInterface, vpn), timeout: duration),
            ]
        }
        let gate = Leases(set: Ruleset.vpnGateSet, elements: remote ?? [])
        let ways = Leases(
            set: Ruleset.uplinkGateSet,
            elements: uplinks.map {
                NFTablesElement(key: NFTablesElement.key($0), timeout: duration)
            })
        state = Mutex(
            State(
                socket: try NFTablesSocket(), refresh: Leases.batch(gate.renewal + ways.renewal),
                refreshUplinks: Leases.batch(ways.renewal),
                close: Leases.batch(gate.end + ways.end), closeRemote: Leases.batch(gate.end),
                deletions: gate.deletions + ways.deletions))
        reader = Mutex(try NFTablesSocket())
        inwardKey = remote?.first?.key ?? []
        uplinkKey = ways.elements.first?.key
        remoteConnections = Mutex(try? ConntrackFlush(mark: ConnectionMark.vpn.rawValue))
        // A kernel without conntrack netlink: what was open is closed all the same.
        connections = Mutex(
            ways.elements.isEmpty
                ? try? ConntrackFlush(mark: ConnectionMark.vpn.rawValue)
                : try? ConntrackFlush(mark: ConnectionMark.base, mask: ConnectionMark.baseMask))
        do throws(SystemError) {
            grant =
                if withGrant, let vpnInterface {
                    try NFTablesGrant(
                        table: Self.grantTable(), mark: Ruleset.grantMark, between: vpnInterface,
                        and: lanInterface, realTimePriority: 30)
                } else {
                    nil
                }
            grantTrouble = nil
        } catch {
            grant = nil
            grantTrouble = error
        }
    }

    /// Opens the gate, or keeps it open, for `duration` from now; without `remote` the uplinks alone.
    package func refresh(remote: Bool = true) throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            if remote {
                try state.socket.commit(&state.refresh, "open the gate in the firewall")
            } else {
                try state.socket.commit(&state.refreshUplinks, "open the uplinks in the firewall")
            }
        }
    }

    /// Closes the gate, and the uplinks if the key cuts them: when this returns no packet passes, established or not.
    ///
    /// Closing a closed gate, or one whose firewall is not loaded yet, is no error.
    package func close() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            do throws(SystemError) {
                try state.socket.commit(&state.close, Self.closing)
            } catch {
                // The adding half can be refused (no memory, no table): then delete one by one.
                try Self.deleteEach(&state)
            }
        }
        // Only so that an old session does not go on when the key is on again: nothing passes already, and
        // a refusal changes nothing about that.
        connections.withLock { try? $0?.run() }
    }

    /// The same for VPN and LAN alone; if that is refused, for everything.
    package func closeRemote() throws(SystemError) {
        guard !inwardKey.isEmpty else { return }
        try state.withLock { state throws(SystemError) in
            do throws(SystemError) {
                try state.socket.commit(&state.closeRemote, Self.closing)
            } catch {
                try Self.deleteEach(&state)
            }
        }
        remoteConnections.withLock { try? $0?.run() }
    }

    private static func deleteEach(_ state: inout State) throws(SystemError) {
        var refusal: SystemError?
        for index in state.deletions.indices {
            refusal = remaining(&state.socket, &state.deletions[index]) ?? refusal
        }
        if let refusal { throw refusal }
    }

    /// Whether the gate is open now, as the kernel has it.
    package func isOpen() throws(SystemError) -> Bool {
        guard !inwardKey.isEmpty else { return false }
        return try contains(Ruleset.vpnGateSet, inwardKey)
    }

    /// Whether the uplinks are open now, as the kernel has it; nil: the key does not cut them.
    package func areUplinksOpen() throws(SystemError) -> Bool? {
        guard let uplinkKey else { return nil }
        return try contains(Ruleset.uplinkGateSet, uplinkKey)
    }

    private func contains(_ set: String, _ key: [UInt8]) throws(SystemError) -> Bool {
        try reader.withLock { reader throws(SystemError) in
            try reader.contains(table: Ruleset.table, set: set, key: key)
        }
    }

    /// A name of its own for each lease: while a changed config takes over, two hold a grant.
    private static func grantTable() -> String {
        let number = grants.wrappingAdd(1, ordering: .relaxed).oldValue
        return number == 0 ? Ruleset.grantTable : "\(Ruleset.grantTable)-\(number)"
    }

    private static let grants = Atomic(0)

    private static let closing = "close the gate in the firewall"

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

/// Elements of one set that are renewed, and ended, together.
private struct Leases {
    let set: String
    let elements: [NFTablesElement]

    private var add: NFTablesBatch.Change { .add(set: set, elements) }
    private var delete: NFTablesBatch.Change { .delete(set: set, elements) }

    var renewal: [NFTablesBatch.Change] { NFTablesBatch.renewal(of: set, elements) }

    /// Deleting what is not there would undo the batch: what was there would stay.
    var end: [NFTablesBatch.Change] { elements.isEmpty ? [] : [add, delete] }

    var deletions: [NFTablesBatch] {
        elements.map { Self.batch([.delete(set: set, [$0])]) }
    }

    static func batch(_ changes: [NFTablesBatch.Change]) -> NFTablesBatch {
        NFTablesBatch(table: Ruleset.table, changes)
    }
}
