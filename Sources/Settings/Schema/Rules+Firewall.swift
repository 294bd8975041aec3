import Base

/// What must hold of the exceptions in `[firewall]`.
extension Rules {
    mutating func checkFirewall() {
        for (index, allow) in settings.firewall.allowed.enumerated() {
            let key = "firewall.allow[\(index)]"
            if report.isSound(key) { check(allow, key) }
        }
        for (index, forward) in settings.firewall.forwards.enumerated() {
            let key = "firewall.forward[\(index)]"
            if report.isSound(key) { check(forward, key, index) }
        }
        checkTranslations()
        if settings.firewall.hidesVPN, settings.vpn == nil, report.isSound("vpn") {
            complain("firewall.vpn-behind-router", "is of no use without [vpn]; leave it out")
        }
        // A rule that is not right itself may not mean what it says.
        if report.problems.isEmpty { checkOverlaps() }
    }

    private mutating func check(_ allow: Settings.Firewall.Allow, _ key: String) {
        guard report.isSound("\(key).from", "\(key).to") else { return }
        let ways: [(Settings.Firewall.Zone, Settings.Firewall.Zone)] = [
            (.lan, .wan), (.lan, .router), (.wan, .lan), (.wan, .router),
        ]
        guard ways.contains(where: { $0 == (allow.from, allow.to) }) else {
            complain(
                "\(key).to",
                "from \"\(allow.from.rawValue)\" to \"\(allow.to.rawValue)\" is no way through the "
                    + "firewall; write lan to wan, lan to router, wan to lan or wan to router")
            return
        }
        if allow.from == .wan { checkConsent(allow.letsTheWANIn, key) }
        if allow.mac != nil, allow.from != .lan {
            complain("\(key).mac", "is known of machines on the LAN only; leave it out")
        }
        guard report.isSound("lan.network") else { return }
        let lan = settings.lan.network
        if allow.from == .lan, let source = allow.source, !lan.covers(source) {
            complain(
                "\(key).source", "\(source) is outside \(lan) of \(reference(to: "lan.network"))")
        }
        if allow.to == .lan {
            guard let destination = allow.destination, lan.covers(destination) else {
                let place = reference(to: "lan.network")
                complain("\(key).destination", "must name machines within \(lan) of \(place)")
                return
            }
        }
    }

    private mutating func check(_ forward: Settings.Firewall.Forward, _ key: String, _ index: Int) {
        checkConsent(forward.letsTheWANIn, key)
        if report.isSound("\(key).to", "lan.network"),
            !settings.lan.network.contains(forward.machine)
        {
            let (lan, place) = (settings.lan.network, reference(to: "lan.network"))
            complain("\(key).to", "\(forward.machine) is outside \(lan) of \(place)")
        }
        let earlier = settings.firewall.forwards.prefix(index)
        if let other = earlier.firstIndex(where: { $0.port == forward.port }),
            report.isSound("\(key).port")
        {
            let place = reference(to: "firewall.forward[\(other)].port")
            complain("\(key).port", "\"\(forward.port)\" is taken by \(place)")
        }
    }

    private mutating func checkConsent(_ isGiven: Bool, _ key: String) {
        guard !isGiven else { return }
        complain(
            key,
            "lets the WAN begin connections inward, which this router otherwise never does; "
                + "write let-the-wan-in = true if that is meant")
    }

    private mutating func checkOverlaps() {
        let boxes = ExceptionBoxes(settings.firewall.allowed)
        for (index, other) in boxes.covering().sorted(by: { $0.key < $1.key }) {
            let place = reference(to: "firewall.allow[\(other)]")
            complain(
                "firewall.allow[\(index)]", "is allowed by \(place) already; delete one of them")
        }
        guard report.problems.isEmpty else { return }
        for (index, layer) in boxes.layers().enumerated() where layer >= ExceptionBoxes.layersMax {
            complain(
                "firewall.allow[\(index)]",
                "overlaps \(ExceptionBoxes.layersMax) others that overlap each other; make them one"
            )
        }
    }
}

extension CIDR {
    /// Whether all addresses of `other` are in it.
    fileprivate func covers(_ other: CIDR) -> Bool {
        prefixLength <= other.prefixLength && contains(other.network)
    }
}
