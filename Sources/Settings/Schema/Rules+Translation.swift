import Base

/// What must hold of `[[firewall.nat]]`.
extension Rules {
    mutating func checkTranslations() {
        for (index, translation) in settings.firewall.translations.enumerated() {
            let key = "firewall.nat[\(index)]"
            guard report.isSound(key) else { continue }
            checkSide(translation, key)
            checkAddresses(translation, key)
            checkUnique(translation, key, index)
        }
    }

    private mutating func checkSide(_ translation: Settings.Firewall.Translation, _ key: String) {
        guard report.isSound("\(key).on", "uplink") else { return }
        let uplinks = settings.uplinks.map(\.name)
        let known = uplinks + (settings.vpn == nil ? [] : [Settings.Firewall.Translation.vpn])
        guard known.contains(translation.side) else {
            complain(
                "\(key).on",
                "\(TOMLValue.quoted(translation.side)) is no way of this router; known here: "
                    + known.joined(separator: ", "))
            return
        }
        guard let uplink = settings.uplinks.firstIndex(where: { $0.name == translation.side }),
            report.isSound("\(key).address", "uplink[\(uplink)].network"),
            let network = settings.uplinks[uplink].network
        else { return }
        if !network.contains(translation.address) {
            let place = reference(to: "uplink[\(uplink)].network")
            complain("\(key).address", "\(translation.address) is outside \(network) of \(place)")
        } else if settings.uplinks[uplink].gateway == translation.address {
            let place = reference(to: "uplink[\(uplink)].gateway")
            complain("\(key).address", "\(translation.address) is taken by \(place)")
        }
    }

    private mutating func checkAddresses(
        _ translation: Settings.Firewall.Translation, _ key: String
    ) {
        guard report.isSound("lan.network") else { return }
        let (lan, place) = (settings.lan.network, reference(to: "lan.network"))
        if report.isSound("\(key).to"), !lan.contains(translation.machine) {
            complain("\(key).to", "\(translation.machine) is outside \(lan) of \(place)")
        }
        if report.isSound("\(key).address"), lan.contains(translation.address) {
            complain(
                "\(key).address",
                "\(translation.address) is in \(lan) of \(place); write an address of the other side"
            )
        }
    }

    /// One address, one machine.
    private mutating func checkUnique(
        _ translation: Settings.Firewall.Translation, _ key: String, _ index: Int
    ) {
        let earlier = settings.firewall.translations.prefix(index)
        if let other = earlier.firstIndex(where: { $0.address == translation.address }),
            report.isSound("\(key).address")
        {
            let place = reference(to: "firewall.nat[\(other)].address")
            complain("\(key).address", "\(translation.address) is taken by \(place)")
        }
        if let other = earlier.firstIndex(where: {
            $0.machine == translation.machine && $0.side == translation.side
        }), report.isSound("\(key).to", "\(key).on") {
            let place = reference(to: "firewall.nat[\(other)].to")
            complain(
                "\(key).to",
                "\(translation.machine) has an address on \(translation.side) by \(place)")
        }
    }
}
