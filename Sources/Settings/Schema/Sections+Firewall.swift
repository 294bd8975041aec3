extension Sections {
    static let firewall = Section(
        name: "firewall", draft: Settings.Firewall(),
        keys: [
            Key("lan-to-wan", \.lanToWAN, .choice())
        ])
}
