package import Base
import Settings

/// The router's own state at one moment, as far as it is known, and the readings that tell it.
package struct RouterHealth: Equatable, Sendable {
    package struct Uplink: Equatable, Sendable {
        package var name: String
        package var isUp: Bool
        package var isCarrying: Bool
        package var roundTripTime: Duration?
        package var lossPercent: Double?

        package init(
            name: String, isUp: Bool, isCarrying: Bool, roundTripTime: Duration? = nil,
            lossPercent: Double? = nil
        ) {
            self.name = name
            self.isUp = isUp
            self.isCarrying = isCarrying
            self.roundTripTime = roundTripTime
            self.lossPercent = lossPercent
        }
    }

    package var uplinks: [Uplink] = []
    package var isCloudConnected: Bool?
    /// `on`, `off` or `unknown`; nil: there is no key switch.
    package var switchPosition: String?
    /// Nil: there is no remote access.
    package var isGateOpen: Bool?
    package var isFirewallInForce: Bool?
    /// Packets, since the firewall's table exists.
    package var dropped: UInt64?
    /// Bytes of the ring, and what it may have.
    package var ring: (used: Int64, quota: Int64)?
    /// Records that the cloud does not have.
    package var unsent: UInt64?
    /// Readings lost in the ring's life.
    package var lost: UInt64?
    /// Bytes, on the ring's file system.
    package var diskFree: Int64?
    /// Degrees Celsius.
    package var temperature: Double?
    /// Processes that run or wait to, mean of the last minute.
    package var load: Double?
    /// Bytes that programs can still have.
    package var memoryAvailable: Int64?
    /// Bytes that this daemon has (RSS).
    package var memoryOwn: Int64?

    package init() {}

    package static func == (a: RouterHealth, b: RouterHealth) -> Bool {
        let now = Timestamp(monotonic: .boot, wall: WallTime(milliseconds: 0))
        return a.readings(at: now) == b.readings(at: now)
    }

    /// One reading for each thing that is known. What is not is left out: a router without a thermometer says
    /// nothing of its temperature.
    package func readings(at time: Timestamp) -> [Reading] {
        var values: [(tag: String, value: TagValue?)] = []
        for uplink in uplinks {
            let name = "uplink.\(uplink.name)."
            values.append((name + "up", .bool(uplink.isUp)))
            values.append((name + "carrying", .bool(uplink.isCarrying)))
            values.append((name + "rtt-ms", uplink.roundTripTime.map { .double($0.milliseconds) }))
            values.append((name + "loss-percent", uplink.lossPercent.map { .double($0) }))
        }
        values.append(("cloud.connected", isCloudConnected.map { .bool($0) }))
        values.append(("switch.position", switchPosition.map { .string($0) }))
        values.append(("gate.open", isGateOpen.map { .bool($0) }))
        values.append(("firewall.in-force", isFirewallInForce.map { .bool($0) }))
        values.append(("firewall.dropped", dropped.map { .integer(Int64(clamping: $0)) }))
        values.append(("recorder.fill-percent", fillPercent.map { .double($0) }))
        values.append(("recorder.unsent", unsent.map { .integer(Int64(clamping: $0)) }))
        values.append(("recorder.lost", lost.map { .integer(Int64(clamping: $0)) }))
        values.append(("disk.free-bytes", diskFree.map { .integer($0) }))
        values.append(("cpu.temperature", temperature.map { .double($0) }))
        values.append(("cpu.load", load.map { .double($0) }))
        values.append(("memory.available-bytes", memoryAvailable.map { .integer($0) }))
        values.append(("memory.own-bytes", memoryOwn.map { .integer($0) }))
        return values.compactMap { tag, value in
            value.map {
                Reading(source: Settings.Health.source, tag: tag, value: $0, time: time)
            }
        }
    }

    /// To a tenth: more would only be noise in the ring.
    private var fillPercent: Double? {
        ring.flatMap { used, quota in
            quota > 0 ? (Double(used) / Double(quota) * 1000).rounded() / 10 : nil
        }
    }
}
