import Base

extension Settings {
    /// What an uplink goes over: how long it may be silent by its nature.
    package enum Medium: String, CaseIterable, Sendable {
        case ethernet, wifi, cellular

        /// By the usual names of interfaces: `wlan0`, `wlp3s0`; `wwan0`, `wwp0s20u4`, `ppp0`, `rmnet0`.
        package init(guessedFrom interface: String) {
            let cellular = ["ww", "ppp", "rmnet"]
            self =
                interface.hasPrefix("wl")
                ? .wifi
                : cellular.contains { interface.hasPrefix($0) } ? .cellular : .ethernet
        }

        /// The shortest silence that is believed: Wi-Fi scans and roams for a second, a modem between two cells is
        /// silent for two.
        package var confirm: Duration {
            switch self {
            case .ethernet: .milliseconds(850)
            case .wifi: .milliseconds(1500)
            case .cellular: .milliseconds(2500)
            }
        }
    }

    /// `[failover]`: when another uplink is chosen, and what becomes of the connections on the old one.
    package struct Failover: Equatable, Sendable {
        /// `hold`: how long a better uplink that had failed must be good before it carries again.
        package var hold: Duration
        /// `hold-max`: the longest hold; it doubles with each failure.
        package var holdMax: Duration
        /// `finish`: how long running connections may stay on an uplink that works but is not chosen any more.
        package var finish: Duration
        /// `quality`: whether a line that serves badly is left for a better one.
        package var quality: Bool
        /// `loss`: percent of probes lost that is bad.
        package var loss: Int
        /// `latency`: how many times the usual round-trip time is bad.
        package var latency: Int
        /// `drill`: when the standbys are tried each night; nil: only when somebody says so.
        package var drill: TimeOfDay?

        package init(
            hold: Duration = .seconds(30), holdMax: Duration = .seconds(600),
            finish: Duration = .seconds(30), quality: Bool = true, loss: Int = 15,
            latency: Int = 5
        ) {
            self.hold = hold
            self.holdMax = holdMax
            self.finish = finish
            self.quality = quality
            self.loss = loss
            self.latency = latency
        }
    }
}

extension Settings.Uplink {
    /// The shortest silence that is believed. A cable has no silences by its nature: who has it probed more often than once a
    /// second wants to know sooner, too.
    package var confirm: Duration {
        if let confirm = keepAlive.confirm { return confirm }
        let medium = medium ?? Settings.Medium(guessedFrom: interface)
        guard medium == .ethernet, keepAlive.interval < .seconds(1) else { return medium.confirm }
        return max(.milliseconds(350), medium.confirm * Int(keepAlive.interval.milliseconds) / 1000)
    }
}
