package import Base

/// What the tunnel is doing.
package struct TunnelStatus: Equatable, Sendable {
    package var state: TunnelSupervisor.Phase
    /// Our address within the VPN, while connected.
    package var address: IPv4Address?
    /// The server's address, while there is a session or an attempt at one.
    package var server: IPv4Address?
    /// Why it is so, for people.
    package var reason: String
    /// Since when it is in this state.
    package var since: Instant
    /// How often the session was begun again.
    package var restarts: Int
    /// OpenVPN's process, while there is one.
    package var processID: Int32?
}
