/// The topics of one edge node: `spBv1.0/GROUP/TYPE/NODE[/DEVICE]` (Sparkplug 3.0 §4).
package struct SparkplugTopic: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case nodeBirth = "NBIRTH"
        case nodeDeath = "NDEATH"
        case nodeData = "NDATA"
        case nodeCommand = "NCMD"
        case deviceBirth = "DBIRTH"
        case deviceDeath = "DDEATH"
        case deviceData = "DDATA"
        case deviceCommand = "DCMD"
    }

    package var group: String
    package var kind: Kind
    package var node: String
    package var device: String?

    /// Names lose the characters that mean something in a topic: `/`, `+` and `#` become `_`.
    package init(group: String, kind: Kind, node: String, device: String? = nil) {
        self.group = Self.plain(group)
        self.kind = kind
        self.node = Self.plain(node)
        self.device = device.map { Self.plain($0) }
    }

    /// Reads a topic; nil if it is none of Sparkplug B.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 4 || parts.count == 5, parts[0] == "spBv1.0",
            let kind = Kind(rawValue: parts[2])
        else { return nil }
        self.init(
            group: parts[1], kind: kind, node: parts[3], device: parts.count == 5 ? parts[4] : nil)
    }

    package var text: String {
        "spBv1.0/\(group)/\(kind.rawValue)/\(node)" + (device.map { "/" + $0 } ?? "")
    }

    static func plain(_ name: String) -> String {
        String(name.map { "/+#\0".contains($0) ? "_" : $0 })
    }
}
