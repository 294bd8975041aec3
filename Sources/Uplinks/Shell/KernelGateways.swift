package import Base
package import Linux

/// The kernel's ARP, asked for gateways. Its socket is opened in the network namespace of the calling thread.
package actor KernelGateways: GatewayAsker {
    /// The kernel asks three times, a second apart.
    private static let patience = Duration.milliseconds(3500)

    private let socket: NetlinkSocket
    private let clock = SystemClock()

    package init() throws(SystemError) { socket = try NetlinkSocket(family: 0) }

    package func answers(_ gateway: IPv4Address, over path: UplinkPath) async throws -> Bool? {
        let index = path.interfaceIndex
        // To ask would put an entry that changes in its place.
        guard try NeighbourProbe.findings(on: index, socket)[gateway] != .fixed else { return nil }
        do throws(SystemError) {
            try NeighbourProbe.ask(gateway, on: index, isKnown: true, socket)
        } catch {
            // Its hardware address is not known, or no longer.
            try NeighbourProbe.ask(gateway, on: index, isKnown: false, socket)
        }
        try await clock.sleep(until: clock.now() + Self.patience)
        return switch try NeighbourProbe.findings(on: index, socket)[gateway] {
        case .answered: true
        case .silent: false
        case .fixed, nil: nil
        }
    }
}
