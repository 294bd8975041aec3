/// What can go wrong with one uplink. Several may at once.
package enum Fault: Int, CaseIterable, Sendable {
    /// Nothing passes, and no link says so.
    case outage
    /// A short silence, as of a modem between two cells.
    case stall
    /// Silent for a while, passing for a while, again and again.
    case flaps
    /// No carrier.
    case unplug
    /// Carrier and none in turn, again and again.
    case carrierFlaps
    /// The interface is removed; when it is back it has another index.
    case interfaceGone
    /// No address; the next one is another one.
    case addressGone
    /// No gateway is known.
    case gatewayGone
    /// One target answers nothing: it may be the only one.
    case targetDies
    /// One target answers so many probes in a while and no more.
    case targetLimited
    /// A queue that our own traffic fills: all answers are late by up to 3 s.
    case bloat
    /// All answers take 5 s longer.
    case latency
    /// Much is lost: 15 to 60 %.
    case brownOut
    /// Only what goes out is lost, or only what comes in: half of it, or all.
    case outLost, inLost
    /// Everything passes but what is asked for: a login page answers in its place.
    case captive
}

/// The climate: what can go wrong, how often and for how long.
package struct Faults: Sendable {
    /// Both are means of exponential distributions.
    package struct Rate: Sendable {
        package var every: Duration
        package var lasts: Duration

        package init(every: Duration, lasts: Duration) {
            self.every = every
            self.lasts = lasts
        }
    }

    /// By fault; nil: never.
    private var rates = [Rate?](repeating: nil, count: Fault.allCases.count)
    /// An uplink's background loss is drawn from 0 up to this.
    package var lossMax = 0.4
    /// Longest time that an answer may take; those over the time-out are late.
    package var delayMax = Duration.milliseconds(700)
    /// One phase of flaps.
    package var flap = Duration.seconds(8)
    package var carrierFlap = Duration.seconds(2)
    /// Between two answers of a target that limits them.
    package var limit = Duration.seconds(2)
    /// Mean time between somebody's meddling with the routing table.
    package var meddleEvery = Duration.seconds(120)
    /// The kernel's messages about its network are lost, until it is asked for all of it.
    package var deaf: Rate?

    /// The router, rather than its weather.
    package var interval = Duration.seconds(1)
    package var targets = 2
    package var burst = true
    /// Silences are believed after 0.85, 1.5 and 2.5 s, as on Ethernet, Wi-Fi and a mobile network.
    package var confirmsByMedium = false
    /// The first two uplinks have addresses of one subnet, and the same gateway.
    package var sharesSubnet = false
    /// Traffic goes over the uplink that carries, and is counted.
    package var hasTraffic = false
    /// Poor lines are told from good ones.
    package var judgesQuality = false

    package init() {
        self[.outage] = Rate(every: .seconds(300), lasts: .seconds(30))
        self[.unplug] = Rate(every: .seconds(600), lasts: .seconds(15))
        self[.stall] = Rate(every: .seconds(200), lasts: .milliseconds(800))
        self[.targetDies] = Rate(every: .seconds(900), lasts: .seconds(60))
    }

    /// Where there may be login pages, the router looks for them.
    package var asksForLogins: Bool { self[.captive] != nil }

    package subscript(_ fault: Fault) -> Rate? {
        get { rates[fault.rawValue] }
        set { rates[fault.rawValue] = newValue }
    }
}
