package import Base
package import Linux

/// One echo request to be sent out of one uplink.
package struct Probe: Equatable, Sendable {
    /// The uplink's number by preference.
    package var uplink: Int
    package var path: UplinkPath
    package var target: IPv4Address
    package var sequence: UInt16

    package init(uplink: Int, path: UplinkPath, target: IPv4Address, sequence: UInt16) {
        self.uplink = uplink
        self.path = path
        self.target = target
        self.sequence = sequence
    }
}

/// An echo reply to a probe of ours.
package struct ProbeAnswer: Equatable, Sendable {
    package var source: IPv4Address
    package var sequence: UInt16
    /// When it came; nil: it counts as come when it is looked at.
    package var arrival: Instant?

    package init(source: IPv4Address, sequence: UInt16, arrival: Instant? = nil) {
        self.source = source
        self.sequence = sequence
        self.arrival = arrival
    }
}

/// Sends probes and hears their answers.
package protocol Prober: Sendable {
    /// Sends without waiting.
    func send(_ probe: Probe) throws(SystemError)

    /// Waits for the next answers on one uplink.
    func answers(on uplink: Int) async throws -> [ProbeAnswer]

    /// The answers that are there already, without waiting.
    func arrived(on uplink: Int) throws(SystemError) -> [ProbeAnswer]

    /// Bytes of probes and answers on an uplink, IP headers included, since this was last asked.
    func takeBytes(on uplink: Int) -> Int
}

extension Prober {
    package func takeBytes(on uplink: Int) -> Int { 0 }

    package func arrived(on uplink: Int) throws(SystemError) -> [ProbeAnswer] { [] }
}

/// The kernel's interfaces and routing tables.
package protocol RouteTable: Sendable {
    func read() async throws -> NetworkView

    /// Carries out all changes in their order; then throws the first failure, if there was one.
    func apply(_ changes: [RouteChange]) async throws

    /// Waits until something may have changed: interfaces, carriers, addresses, default routes, rules. Returns the
    /// interfaces of which it was said that they have no carrier now.
    @discardableResult
    func waitForChange() async throws -> Set<Int32>
}

/// Asks whether a gateway is there, whatever becomes of what it is to forward.
package protocol GatewayAsker: Sendable {
    /// After some seconds, when it is not; nil: it cannot be told, such as on a link without ARP.
    func answers(_ gateway: IPv4Address, over path: UplinkPath) async throws -> Bool?
}

/// What became of the connections of an uplink that failed.
package struct ForgottenFlows: Equatable, Sendable {
    /// How long the kernel's table took, its listing included.
    package var time: Duration
    /// TCP connections that were reset at their clients.
    package var resets: Int

    package init(time: Duration = .zero, resets: Int = 0) {
        self.time = time
        self.resets = resets
    }
}

/// The connections that go over each uplink.
package protocol FlowTable: Sendable {
    func install(_ rules: FlowRules) async throws

    /// What each uplink has carried, by preference.
    func counts(uplinks: Int) async throws -> [TrafficCount]

    /// Takes an uplink's connections out of the kernel's table, so that their next packets find another way, and ends
    /// TCP connections, which cannot go on, at their clients. What is on its way back meanwhile is lost: `gently` waits a
    /// moment for a reply, for right after one the least is on its way.
    ///
    /// What waits behind another one may be overtaken: `isWanted` is asked before anything is taken.
    func forget(uplink: Int, gently: Bool, isWanted: @Sendable () -> Bool) async throws
        -> ForgottenFlows
}

/// A failure for want of a capability, with what to do about it.
package struct MissingCapability: Error, CustomStringConvertible {
    package var cause: SystemError
    package var capability: String

    package init(cause: SystemError, capability: String) {
        self.cause = cause
        self.capability = capability
    }

    package var description: String {
        "\(cause): run drawbridge as root or with \(capability)"
    }
}
