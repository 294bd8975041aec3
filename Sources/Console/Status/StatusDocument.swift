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
    /// The wall clock when this was written, in milliseconds since 1970, and how far local time is ahead of UTC.
    package var timeMilliseconds: Int64 = 0
    package var utcOffsetSeconds = 0
    /// Whether every service has come up once.
    package var isReady = false
    package var state = State.closed
    /// In words, the most important first.
    package var problems: [String] = []

    /// Rooms that have failed and will be begun anew; nil: none, or an older daemon's.
    package var failures: [Failure]?
    package var configuration = Configuration()
    package var uplinks: [Uplink] = []
    /// How often another uplink was chosen.
    package var uplinkSwitches: UInt64 = 0
    /// The last switches, oldest first; nil: an older daemon's.
    package var uplinkHistory: [UplinkSwitch]?
    /// nil: there was none since the daemon began.
    package var drill: Drill?
    package var firewall = Firewall()
    package var egress = Egress()
    package var recorder = Recorder()
    package var machines: [Machine] = []
    /// nil: it is not watched, or an older daemon's.
    package var lan: LAN?
    package var cloud = Cloud()
    /// nil: no `[vpn]` is configured.
    package var tunnel: Tunnel?
    /// nil: no `[switch]` is configured.
    package var keySwitch: KeySwitch?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case version, device, softwareVersion, uptimeSeconds, timeMilliseconds, utcOffsetSeconds
        case isReady, state, problems, failures, configuration, uplinks
        case uplinkSwitches, uplinkHistory, drill, firewall, egress, recorder, machines, lan, cloud,
            tunnel
        case keySwitch = "switch"
    }

    /// The key is off, and keeps the router off the network: that is an order, no trouble.
    package var isCutByKey: Bool {
        keySwitch.map { $0.position == .off && $0.cutsUplinks } ?? false
    }

    /// A room that does not work.
    package struct Failure: Codable, Equatable, Sendable {
        package var room: String
        package var reason: String
        /// When it is begun anew.
        package var retrySeconds: Int

        package init(room: String, reason: String, retrySeconds: Int) {
            self.room = room
            self.reason = reason
            self.retrySeconds = retrySeconds
        }

        /// For `problems`.
        package var words: String { "\(room): \(reason); begun anew in \(retrySeconds) s" }
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
        /// Until what runs is taken back unless it is confirmed; nil: it is permanent.
        package var trialSeconds: Int?

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
        /// How often a silence was looked into by a burst of probes.
        package var bursts = 0
        package var jitterMilliseconds: Double?
        /// The last probes, oldest first; null: lost.
        package var probesMilliseconds: [Double?]?
        /// The probes' targets, and those that have been silent while they were asked.
        package var targets: [String]?
        package var silentTargets: [String]?
        /// It is up, but not used before so many seconds have passed: it has failed lately.
        package var heldSeconds: Int?
        /// It is up, but only leads to a login page, in words: `wants a login at hotel.example (…)`.
        package var login: String?
        /// It is up, but serves badly, in words.
        package var poorness: String?
        /// What its probes may take in a month, and have taken in this one; nil: there is no such bound.
        package var probeBytesBudget: Int64?
        package var probeBytesUsed: Int64?
        /// From one probe to the next; nil: as configured.
        package var probeIntervalMilliseconds: Double?
        /// What it was like lately; nil before the first sample.
        package var history: History?

        package init(name: String) { self.name = name }

        /// Samples at equal distances, the oldest first; at most `StatusHistory.samplesMax`.
        package struct History: Codable, Equatable, Sendable {
            package var intervalSeconds: Int
            /// Round trips; null where nothing answered.
            package var rttMilliseconds: [Double?] = []
            package var lossPercent: [Double] = []
            package var isCarrying: [Bool] = []

            package init(intervalSeconds: Int) { self.intervalSeconds = intervalSeconds }
        }
    }

    /// Another uplink was chosen.
    package struct UplinkSwitch: Codable, Equatable, Sendable {
        package var secondsAgo: Int
        package var from: String
        package var to: String
        package var cause: String
        /// From the old uplink's last sign of life to the new route; absent when it still worked.
        package var blackoutMilliseconds: Double?
        /// Clients' TCP connections that were reset, so that they begin again at once.
        package var resets: Int

        package init(
            secondsAgo: Int, from: String, to: String, cause: String,
            blackoutMilliseconds: Double?, resets: Int
        ) {
            self.secondsAgo = secondsAgo
            self.from = from
            self.to = to
            self.cause = cause
            self.blackoutMilliseconds = blackoutMilliseconds
            self.resets = resets
        }
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
        /// `[[firewall.allow]]` and `[[firewall.forward]]`, in the order of the config; nil: an older daemon's.
        package var exceptions: [Exception]?
        /// How often somebody else's change of the rules was put back.
        package var foreignChanges: Int?
        package var foreignChangeBy: String?
        /// Signs of an attack that last; nil: an older daemon's.
        package var signs: [Sign]?
        /// Who was refused lately and what it wanted, a sample; nil: an older daemon's.
        package var refused: [Refused]?

        package struct Exception: Codable, Equatable, Sendable {
            package var comment: String
            /// As in "wan 10.1.2.0/24 to lan any, tcp/502".
            package var words: String
            package var packets: UInt64
            /// nil: never seen, or not known.
            package var lastSecondsAgo: Int?
            package var isOver: Bool
            /// It is closed at this moment, by its hours or because the clock is not right; nil: an older daemon's.
            package var isClosed: Bool?
            /// Until its hours begin; nil: it is open, or will not be again.
            package var opensSeconds: Int?

            package init(
                comment: String, words: String, packets: UInt64, lastSecondsAgo: Int?, isOver: Bool,
                isClosed: Bool = false, opensSeconds: Int? = nil
            ) {
                self.comment = comment
                self.words = words
                self.packets = packets
                self.lastSecondsAgo = lastSecondsAgo
                self.isOver = isOver
                self.isClosed = isClosed
                self.opensSeconds = opensSeconds
            }
        }

        package init() {}
    }

    package struct Egress: Codable, Equatable, Sendable {
        /// Names that are open at this moment.
        package var names: [String] = []
        /// Questions for names that are not on the list.
        package var refused: UInt64 = 0
        /// The names that were refused most often, at most five.
        package var refusedNames: [String] = []
        /// Who asked for names that are not on the list; nil: an older daemon's.
        package var askers: [Asker]?
        /// Questions that were dropped because too many were waiting.
        package var overloaded: UInt64 = 0
        /// The name servers that are asked.
        package var servers: [String] = []
        /// Whether they answered the last question.
        package var serversAnswer = true
        /// How long they have not answered; null while they do.
        package var serversSilentSeconds: Int?

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
        /// Damaged places found since the daemon started.
        package var damagedFrames = 0
        /// Who reads the ring besides the cloud; null: nobody.
        package var cursors: [Cursor]?
        /// When the oldest part of the ring was begun and its newest record was read, by the wall clock.
        package var oldestMilliseconds: Int64?
        package var newestMilliseconds: Int64?
        /// How long until the ring is full, at the rate so far; null while that cannot be told.
        package var roomSeconds: Int?

        package init() {}

        package struct Cursor: Codable, Equatable, Sendable {
            package var name: String
            package var unreadRecords: UInt64
            /// Overwritten before they were read, for the life of the cursor.
            package var lostRecords: UInt64

            package init(name: String, unreadRecords: UInt64, lostRecords: UInt64) {
                self.name = name
                self.unreadRecords = unreadRecords
                self.lostRecords = lostRecords
            }
        }

        /// How many records the ring holds.
        var heldRecords: UInt64 {
            lastSequence >= firstSequence && lastSequence > 0 ? lastSequence - firstSequence + 1 : 0
        }
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
        /// "forbidden", "resolving", "starting", "enrolling", "connecting", "connected", "stopping" or "backing-off"
        package var state = ""
        package var isConnected = false
        package var address: String?
        /// The server's address, while there is a session or an attempt at one.
        package var server: String?
        package var reason = ""
        package var sinceSeconds = 0
        /// How often the session was begun again.
        package var restarts = 0
        /// The serial number of the session's own certificate, hexadecimal; nil: it has none.
        package var certificate: String?
        /// For how long that is still valid.
        package var certificateSeconds: Int?
        /// Bytes of this session from the remote users and to them; nil: there is none.
        package var inwardBytes: UInt64?
        package var outwardBytes: UInt64?

        package init() {}
    }

    package struct KeySwitch: Codable, Equatable, Sendable {
        package enum Position: String, Codable, Sendable {
            /// Remote access is allowed.
            case on
            /// The middle one of three: online, without remote access.
            case online
            case off
            /// The line cannot be read: treated as off.
            case unknown
        }
        package var position = Position.unknown
        /// It moved a moment ago, and nothing is open before it has come to rest; nil: it rests.
        package var isSettling: Bool?
        package var isGateOpen = false
        /// What a key that is off cuts: "vpn", or "wan" for every uplink.
        package var disables = "vpn"
        /// Whether the uplinks pass packets at this moment; nil: the key does not cut them.
        package var areUplinksOpen: Bool?
        package var reason = ""
        /// How often it was turned since the daemon started.
        package var changes: UInt64 = 0
        /// The line and its chip, for people.
        package var line = ""
        /// "low" or "high"; nil: it cannot be read.
        package var level: String?
        /// The same of the second line; nil also: the key has two positions.
        package var remoteLevel: String?
        /// How long remote access has been allowed or closed.
        package var sinceSeconds = 0
        /// Until remote access ends by itself; 0: it has ended, until the key is turned off and on again;
        /// nil: it does not end by itself, or is not open.
        package var remainingSeconds: Int?
        /// "on" while a remote session is open, "off", or why it cannot be lit; nil: there is no lamp.
        package var lamp: String?
        /// Whether the lamp's line cannot be driven.
        package var isLampBroken: Bool?
        /// Since the lease of the open gate was renewed last; nil: never.
        package var leaseAgeMilliseconds: Double?
        /// How often an edge of the line shut the open gate since the daemon started.
        package var cutCount: UInt64 = 0
        /// The last of them, the newest at the end.
        package var cuts: [Cut] = []
        /// "real-time", "favoured" or "ordinary": how the kernel runs the thread that cuts.
        package var schedule = ""
        package var isMemoryLocked = false
        /// Whether a broken wire reads as off.
        package var isBrokenWireOff = false
        /// Whether the gate closes with the daemon, or only when its lease ends.
        package var closesWithDaemon = false

        package struct Cut: Codable, Equatable, Sendable {
            package var secondsAgo: Int
            /// From the kernel's stamp of the edge until the firewall had obeyed.
            package var latencyMilliseconds: Double?

            package init(secondsAgo: Int, latencyMilliseconds: Double?) {
                self.secondsAgo = secondsAgo
                self.latencyMilliseconds = latencyMilliseconds
            }
        }

        package init() {}
    }
}
