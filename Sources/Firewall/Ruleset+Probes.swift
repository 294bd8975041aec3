import Base

// Keep-alive probes that are no pings (§2.5).
extension Ruleset {
    /// To each target on its own port only, over its own uplink only.
    static func probes(
        _ uplink: FirewallPolicy.Uplink, begins: String, goesOn: String
    ) -> [String] {
        let targets = uplink.probeServices.map {
            "\($0.address) . \($0.port.transport.rawValue) . \($0.port.port)"
        }
        guard let targets = set(targets.sorted()) else { return [] }
        let way =
            "oifname \(quoted(uplink.interface)) "
        let to = "ip daddr . meta l4proto . th dport \(targets)"
        // The acknowledgement and the reset of a connection that its socket has left already belong to nobody.
        return ["\(way)\(begins)\(to) accept"]
            + (begins.isEmpty ? [] : ["\(way)\(to) \(goesOn) accept"])
    }

    /// §2.5: the page that shows whether an uplink wants a login.
    static func loginCheck(
        _ uplink: FirewallPolicy.Uplink, begins: String, goesOn: String
    ) -> [String] {
        guard let port = uplink.checkPort else { return [] }
        let way = "oifname \(quoted(uplink.interface)) "
        let to = "ip daddr @\(checkSet) tcp dport \(port)"
        return ["\(way)\(begins)\(to) accept"]
            + (begins.isEmpty ? [] : ["\(way)\(to) \(goesOn) accept"])
    }
}
