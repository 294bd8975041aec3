package import Base

/// How the cloud session stands.
package struct CloudStatus: Equatable, Sendable {
    package var isConnected: Bool
    /// Since when it is connected, or is not.
    package var since: Instant
    /// In words: whom we are connected to, or why not.
    package var reason: String
    /// Records that the broker has confirmed since the daemon started.
    package var delivered: UInt64
    /// Records that were sent and wait for the broker's confirmation.
    package var inFlight: Int
    /// Records that have not reached the cloud, those in flight included.
    package var backlog: UInt64
    /// The last thing that went wrong since the daemon started, also when it is over.
    package var lastError: String?
}
