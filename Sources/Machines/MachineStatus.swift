package import Base

/// How a machine is doing.
package struct MachineStatus: Equatable, Sendable {
    package var name: String
    /// `"192.168.140.10:502"`
    package var address: String
    package var isConnected = false
    package var lastAnswer: Timestamp?
    /// Polls that were answered since the start.
    package var polls: UInt64 = 0
    /// Connections and reads that failed.
    package var errors: UInt64 = 0
    /// Readings that were due while the machine, or we, could not.
    package var missed: UInt64 = 0
    /// Readings that the recorder did not take.
    package var unrecorded: UInt64 = 0
    /// Of a broker: values that came in the last minute; nil: it is polled.
    package var valuesPerMinute: Int?
    /// Why it is not connected, or what it refuses: `"192.168.140.10:502: Connection timed out"`.
    package var reason: String?

    package init(name: String, address: String) {
        self.name = name
        self.address = address
    }
}
