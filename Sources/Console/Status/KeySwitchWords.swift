/// What the key says and what is open, in words.
extension StatusDocument.KeySwitch {
    /// Whether anything is open that the key can shut.
    package var isAnythingOpen: Bool { isGateOpen || areUplinksOpen ?? false }

    /// Whether the key, or doubt about it, keeps the router off the network.
    package var cutsUplinks: Bool { areUplinksOpen == false }

    package var hasThreePositions: Bool { remoteLevel != nil }

    /// Remote access is closed until the key is turned off and on again.
    package var isTimeUp: Bool { position == .on && remainingSeconds == 0 }

    /// "ends at 16:02, in 1 h 12 min"; nil: it does not end by itself.
    func end(at time: LocalTime) -> String? {
        guard let remainingSeconds, remainingSeconds > 0 else { return nil }
        return
            "ends at \(time.text(secondsAgo: -remainingSeconds)), in \(Figure.age(seconds: remainingSeconds))"
    }

    /// As one says it after "the key is".
    var words: String {
        switch position {
        case .on: "\(hasThreePositions ? "remote" : "on"), \(opened)"
        case .online: "online, \(opened)"
        case .off: "off, \(shut)"
        case .unknown: "unreadable, \(shut)"
        }
    }

    var style: Screen.Style {
        switch position {
        case .on where isTimeUp: .warning
        case .on, .online: isAnythingOpen ? .good : .bad
        case .off: .warning
        case .unknown: .bad
        }
    }

    /// What is open while the key is on.
    private var opened: String {
        switch areUplinksOpen {
        case nil where isTimeUp: "but its time is up: remote access closed"
        case true? where isTimeUp: "uplinks open, but its time is up: remote access closed"
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
