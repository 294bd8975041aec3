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
    /// The session's own certificate; nil: there is none.
    package var certificate: Certificate?
    /// What this session has carried; nil while there is none.
    package var traffic: TunnelTraffic?

    package struct Certificate: Equatable, Sendable {
        /// In hexadecimal digits.
        package var serial: String
        package var endsAt: Instant
    }
}

/// Bytes that a tunnel has carried.
package struct TunnelTraffic: Equatable, Sendable {
    /// From the remote users.
    package var inward: UInt64
    /// To them.
    package var outward: UInt64

    package init(inward: UInt64 = 0, outward: UInt64 = 0) {
        self.inward = inward
        self.outward = outward
    }

    /// What came on top of an earlier count of the same device.
    package func since(_ earlier: TunnelTraffic) -> TunnelTraffic {
        TunnelTraffic(
            inward: inward - min(inward, earlier.inward),
            outward: outward - min(outward, earlier.outward))
    }
}
