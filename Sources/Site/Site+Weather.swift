package import Base
import Glibc
import Linux

/// What happens to the providers. Each verb returns the moment just before it was done, so that what is
/// measured from it is never flattered.
extension Site {
    /// Packets vanish upstream, inside the provider; the link stays up and the gateway answers.
    @discardableResult
    package func cutSilently(_ isp: ISP) async throws -> Instant {
        try await change(isp) { $0.vanishesAll = true }
    }

    /// The router's interface loses its carrier.
    @discardableResult
    package func pullCable(_ isp: ISP) async throws -> Instant {
        try await change(isp) { $0.cablePulled = true }
    }

    /// The cable is back; whatever else is wrong with the provider stays so.
    @discardableResult
    package func plugCable(_ isp: ISP) async throws -> Instant {
        try await change(isp) { $0.cablePulled = false }
    }

    /// So many of 100 packets towards the router are lost, at random; so a probe's loss is `percent`.
    @discardableResult
    package func addLoss(_ isp: ISP, percent: Int) async throws -> Instant {
        precondition((0...100).contains(percent), "a percentage")
        return try await change(isp) { $0.lossPercent = percent }
    }

    /// Packets towards the router take longer, so a round trip does, too. Needs the kernel's netem.
    @discardableResult
    package func addDelay(_ isp: ISP, _ delay: Duration) async throws -> Instant {
        try await change(isp) { $0.delay = delay }
    }

    /// A keep-alive target stays silent, over this provider.
    @discardableResult
    package func silenceTarget(_ target: IPv4Address, over isp: ISP) async throws -> Instant {
        try await change(isp) { $0.silentTargets.insert(target) }
    }

    /// So many pings a minute pass at most, over this provider.
    @discardableResult
    package func limitPings(_ isp: ISP, perMinute: Int) async throws -> Instant {
        precondition((1...6000).contains(perMinute), "pings a minute")
        return try await change(isp) { $0.pingsPerMinute = perMinute }
    }

    /// Ends everything that is wrong with a provider.
    @discardableResult
    package func restore(_ isp: ISP) async throws -> Instant {
        try await change(isp) { $0 = Faults() }
    }

    private func change(
        _ isp: ISP, _ edit: (inout Faults) -> Void
    ) async throws -> Instant {
        let old = faults[isp] ?? Faults()
        var new = old
        edit(&new)
        let begin = SystemClock().now()
        // Set first, so that a part that failed is repeated or undone by the next order.
        faults[isp] = new
        if new.ruleset != old.ruleset {
            try await output(in: isp.place, ["nft", "-f", "-"], input: new.ruleset)
        }
        if new.cablePulled != old.cablePulled {
            let state = new.cablePulled ? "down" : "up"
            try await output(in: isp.place, ["ip", "link", "set", "router", state])
        }
        if new.delay != old.delay { try await delay(isp, by: new.delay) }
        return begin
    }

    private func delay(_ isp: ISP, by delay: Duration?) async throws {
        let netem = delay.map {
            ["replace", "dev", "router", "root", "netem", "delay", "\($0.nanoseconds / 1000)us"]
        }
        let result = try await run(
            in: isp.place, ["tc", "qdisc"] + (netem ?? ["del", "dev", "router", "root"]))
        guard !result.exit.isSuccess else { return }
        faults[isp]?.delay = nil
        throw SiteError(
            "cannot delay packets of \(isp.place.rawValue): \(result.error)"
                + "this needs a kernel with netem (CONFIG_NET_SCH_NETEM, module sch_netem)")
    }

    /// Turns the key switch; returns the moment just before the level changed.
    @discardableResult
    package func turnSwitch(_ position: SwitchPosition) async throws -> Instant {
        try await keySwitch.turn(position)
    }

    /// Gives the simulated GPIO chip an order: `bounce vpn-switch 7 300`, `fail lineevent 5`, `unplug`, `plug`.
    @discardableResult
    package func commandGPIO(_ command: String) async throws -> Instant {
        try await keySwitch.control(command)
    }
}
