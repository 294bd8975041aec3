/// What the key says and what is open, in words.
extension StatusDocument.KeySwitch {
    /// Whether anything is open that the key can shut.
    package var isAnythingOpen: Bool { isGateOpen || areUplinksOpen ?? false }

    /// Whether the key, or doubt about it, keeps the router off the network.
    package var cutsUplinks: Bool { areUplinksOpen == false }

    /// As one says it after "the key is".
    var words: String {
        switch position {
        case .on: "on, \(opened)"
        case .off: "off, \(shut)"
        case .unknown: "unreadable, \(shut)"
        }
    }

    var style: Screen.Style {
        switch position {
        case .on: isGateOpen || areUplinksOpen ?? false ? .good : .bad
        case .off: .warning
        case .unknown: .bad
        }
    }

    /// What is open while the key is on.
    private var opened: String {
        switch areUplinksOpen {
        case nil: isGateOpen ? "remote access allowed" : "but remote access is closed"
        case true?: "uplinks open, remote access \(isGateOpen ? "allowed" : "closed")"
        case false?: "but all uplinks are cut"
        }
    }

    /// What is shut while it is not.
    private var shut: String {
        areUplinksOpen == nil ? "remote access closed" : "all uplinks cut"
    }
}
