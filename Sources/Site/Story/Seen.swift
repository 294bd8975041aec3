package import Console

/// What the daemon says of itself, as far as the story asks.
package struct Seen: Sendable {
    package let status: StatusDocument

    init(json: String) throws {
        status = try ConsoleJSON.decode(StatusDocument.self, from: Array(json.utf8))
    }

    var isReady: Bool { status.isReady }
    /// The name of the uplink that carries; nil: none.
    var carrying: String? { status.uplinks.first { $0.isCarrying }?.name }
    var isCloudConnected: Bool { status.cloud.isConnected }
    var unsent: UInt64 { status.recorder.unsentRecords }
    var lost: UInt64 { status.recorder.lostRecords }
    var lastSequence: UInt64 { status.recorder.lastSequence }
    var isTunnelConnected: Bool { status.tunnel?.isConnected ?? false }
    var isTunnelStopped: Bool { status.tunnel?.state == "forbidden" }
    var isGateOpen: Bool { status.firewall.isGateOpen }

    /// One line for the running commentary.
    package var summary: String {
        [
            "\(Figure.count(lastSequence)) recorded", "\(Figure.count(unsent)) waiting",
            carrying.map { "over \($0)" } ?? "no uplink",
            isCloudConnected ? "cloud connected" : "cloud away",
            isTunnelConnected ? "VPN up" : "VPN down", isGateOpen ? "gate open" : "gate closed",
        ].joined(separator: " · ")
    }
}
