package import Base

/// Which uplinks' connections are to be taken from the kernel's table, and when: those of a failed uplink as soon
/// as another one carries, those of one that merely is not chosen any more when they had time to finish. While
/// there is nowhere to go, they stay.
package struct FlowChores: Sendable {
    private var failed: Set<Int> = []
    private var finishing: [Int: Instant] = [:]

    package init() {}

    package mutating func failed(_ uplink: Int) {
        failed.insert(uplink)
        finishing[uplink] = nil
    }

    package mutating func works(_ uplink: Int) { failed.remove(uplink) }

    /// Another uplink carries now; this one still works.
    package mutating func left(_ uplink: Int, until end: Instant) {
        if !failed.contains(uplink) { finishing[uplink] = end }
    }

    /// When `next` wants to be asked again, by time alone.
    package var nextWakeUp: Instant? { finishing.values.min() }

    /// The next uplink whose connections are to go, now that the route leads over `carrying`; `works`: it still carries
    /// what is on its way.
    package mutating func next(at now: Instant, carrying: Int?) -> (uplink: Int, works: Bool)? {
        guard let carrying else { return nil }
        finishing[carrying] = nil
        if let uplink = failed.first(where: { $0 != carrying }) {
            failed.remove(uplink)
            return (uplink, false)
        }
        guard let (uplink, _) = finishing.first(where: { $0.value <= now }) else { return nil }
        finishing[uplink] = nil
        return (uplink, true)
    }
}
