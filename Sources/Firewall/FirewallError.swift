/// Why the firewall could not be brought into force.
package enum FirewallError: Error, Equatable, CustomStringConvertible {
    /// The config names an interface that cannot stand in a rule.
    case unusableInterface(String)
    /// `nft` refused the rules; what was in force before still is.
    case refused(reason: String)
    /// `nft` was content, but the kernel does not hold what was asked for.
    case notInForce(deviation: String)
    /// A trial needs rules in force before it.
    case nothingToReturnTo
    case nothingOnTrial

    package var description: String {
        switch self {
        case .unusableInterface(let name):
            "cannot write a firewall rule for interface \"\(name)\": use 1 to 15 letters, digits, "
                + "dots, dashes or underscores"
        case .refused(let reason):
            "cannot load the firewall rules: \(reason); the rules before stay in force. Run as root "
                + "or with CAP_NET_ADMIN, with nftables installed"
        case .nothingToReturnTo:
            "cannot try new firewall rules: none are in force to return to; apply some first"
        case .nothingOnTrial:
            "cannot confirm the firewall rules: none are on trial, or their time is over"
        case .notInForce(let deviation):
            "cannot confirm the firewall rules: \(deviation). Look at `nft list table inet drawbridge` "
                + "and for other programs that change it"
        }
    }
}
