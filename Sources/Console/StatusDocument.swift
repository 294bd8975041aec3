/// The whole state of the daemon at one moment, as `status --json` prints it.
///
/// Every number says its unit in its name. Fields are added, never renamed or given another meaning,
/// within one version.
package struct StatusDocument: Codable, Equatable, Sendable {
    /// The version of this form that this program writes and reads.
    package static let currentVersion = 1

    package enum State: String, Codable, Sendable {
        /// Everything that is configured works.
        case ok
        /// Something does not; `problems` says what.
        case degraded
        /// The firewall lets nothing out: the configuration or the ruleset could not be applied.
        case closed
    }

    package var version = Self.currentVersion
    package var device = ""
    package var softwareVersion = ""
    package var uptimeSeconds = 0
    /// Whether every service has come up once.
    package var isReady = false
    package var state = State.closed
    /// In words, the most important first.
    package var problems: [String] = []

    package var configuration = Configuration()
    package var uplinks: [Uplink] = []
    /// How often another uplink was chosen.
    package var uplinkSwitches: UInt64 = 0
    package var firewall = Firewall()
    package var egress = Egress()
    package var recorder = Recorder()
    package var machines: [Machine] = []
    package var cloud = Cloud()
    /// nil: no `[vpn]` is configured.
    package var tunnel: Tunnel?
    /// nil: no `[switch]` is configured.
    package var keySwitch: KeySwitch?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case version, device, softwareVersion, uptimeSeconds, isReady, state, problems
        case configuration, uplinks
        case uplinkSwitches, firewall, egress, recorder, machines, cloud, tunnel
        case keySwitch = "switch"
    }

    package struct Configuration: Codable, Equatable, Sendable {
        package var file = ""
        /// In the history, `drawbridge config history`; nil: it could not be kept there.
        package var number: Int?
        /// How long it has been in force.
        package var sinceSeconds = 0
        /// The rooms that the last change built anew.
        package var touched: [String] = []
        /// What is wrong with what lies in the file now, with line and column; empty: it is what runs.
        package var refused: [String] = []

        package init() {}
    }

    package struct Uplink: Codable, Equatable, Sendable {
        package var name: String
        package var interface = ""
        package var address: String?
        package var gateway: String?
        package var isUp = false
        /// Whether the cloud sessions live on this one.
        package var isCarrying = false
        package var rttMilliseconds: Double?
        package var lossPercent: Double?
        /// Why it is up or down, in words.
        package var reason = ""
        /// How long it has been up or down.
        package var sinceSeconds = 0

        package init(name: String) { self.name = name }
    }

    package struct Firewall: Codable, Equatable, Sendable {
        package struct Counter: Codable, Equatable, Sendable {
            package var name: String
            package var packets: UInt64
            package var bytes: UInt64

            package init(name: String, packets: UInt64, bytes: UInt64) {
                self.name = name
                self.packets = packets
                self.bytes = bytes
            }
        }
        /// In words: "in force", or what is wrong.
        package var state = ""
        package var isInForce = false
        package var counters: [Counter] = []
        /// Whether the VPN may reach the LAN at this moment.
        package var isGateOpen = false

        package init() {}
    }

    package struct Egress: Codable, Equatable, Sendable {
        /// Names that are open at this moment.
        package var names: [String] = []
        /// Questions for names that are not on the list.
        package var refused: UInt64 = 0

        package init() {}
    }

    package struct Recorder: Codable, Equatable, Sendable {
        /// In words: "recording", or what is wrong.
        package var state = ""
        package var isRecording = false
        /// Records taken since the daemon started, and how many of them are on flash.
        package var acceptedRecords: UInt64 = 0
        package var durableRecords: UInt64 = 0
        package var bytes: Int64 = 0
        package var quotaBytes: Int64 = 0
        /// 0: the ring is empty.
        package var firstSequence: UInt64 = 0
        package var lastSequence: UInt64 = 0
        package var unsentRecords: UInt64 = 0
        /// Overwritten before they were sent, for the life of the ring.
        package var lostRecords: UInt64 = 0

        package init() {}
    }

    package struct Machine: Codable, Equatable, Sendable {
        package var name: String
        package var isConnected = false
        package var polls: UInt64 = 0
        package var errors: UInt64 = 0
        package var reason = ""

        package init(name: String) { self.name = name }
    }

    package struct Cloud: Codable, Equatable, Sendable {
        package var isConnected = false
        package var reason = ""
        package var sinceSeconds = 0
        package var deliveredRecords: UInt64 = 0
        package var backlogRecords: UInt64 = 0
        package var inFlightRecords: Int = 0
        package var lastError: String?

        package init() {}
    }

    package struct Tunnel: Codable, Equatable, Sendable {
        /// "forbidden", "resolving", "starting", "connecting", "connected", "stopping" or "backing-off"
        package var state = ""
        package var isConnected = false
        package var address: String?
        package var reason = ""
        package var sinceSeconds = 0

        package init() {}
    }

    package struct KeySwitch: Codable, Equatable, Sendable {
        package enum Position: String, Codable, Sendable {
            /// Remote access is allowed.
            case on
            case off
            /// The line cannot be read: treated as off.
            case unknown
        }
        package var position = Position.unknown
        package var isGateOpen = false
        package var reason = ""
        /// How often it was turned since the daemon started.
        package var changes: UInt64 = 0

        package init() {}
    }
}
