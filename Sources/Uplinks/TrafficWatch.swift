package import Base

/// Packets and bytes of the traffic that an uplink has carried, as the kernel counts them: out to public addresses, and in from them as
/// replies to what we sent.
package struct TrafficCount: Equatable, Sendable {
    package var packetsOut: UInt64
    package var packetsIn: UInt64
    package var bytes: UInt64

    package init(packetsOut: UInt64 = 0, packetsIn: UInt64 = 0, bytes: UInt64 = 0) {
        self.packetsOut = packetsOut
        self.packetsIn = packetsIn
        self.bytes = bytes
    }
}

/// What the traffic of the carrying uplink says about it, from counters that are read again and again.
package struct TrafficWatch: Sendable {
    package enum Finding: Equatable, Sendable {
        case nothing
        /// Replies have come in since the last look.
        case heard
        /// Packets went out, and nothing has come in since a moment.
        case silent(since: Instant)
    }

    /// The time between two looks.
    package static let period = Duration.milliseconds(125)
    /// The same while little or nothing goes out, and that is answered.
    static let restPeriod = period * 4

    /// The next look, in step with whatever else is done at whole seconds. Probes that come `often`, each second at least, tell of
    /// a silence among few packets about as soon.
    package func nextLook(after now: Instant, isProbedOften often: Bool) -> Instant {
        switch traffic {
        case .none: now.next(multipleOf: Self.restPeriod)
        case .little where often: now.next(multipleOf: Self.restPeriod)
        case .little, .much: now.next(multipleOf: Self.period)
        }
    }

    /// Packets sent in vain until a silence is worth a burst.
    static let packetsMin: UInt64 = 3
    /// Up to so many packets a second are little: our own probe, and a reading for the cloud. A silence that begins
    /// among them is seen with the next of those few.
    static let littleMax: Int64 = 8
    /// Below so many bytes a second no line is called busy.
    static let busyMin: Int64 = 50_000

    /// What goes out, and is answered; what is not is much, however little it is.
    private enum Traffic: Sendable { case none, little, much }

    private var traffic = Traffic.much
    private var last: TrafficCount?
    private var lastAt = Instant.boot
    private var sentInVain: UInt64 = 0
    private var silentSince = Instant.boot
    private var rateSince: (at: Instant, bytes: UInt64)?
    /// Bytes in a second: the last one, and the most of recent times.
    private var rate: Int64 = 0
    private var ratePeak: Int64 = 0

    package init() {}

    /// Most of what the line ever carried goes over it now: its queues may be full, by our own doing.
    package var isBusy: Bool { rate >= Self.busyMin && rate * 2 >= ratePeak }

    /// `patience`: a silence that is shorter means nothing.
    package mutating func counted(
        _ count: TrafficCount, patience: Duration = .milliseconds(240), at now: Instant
    ) -> Finding {
        defer { (last, lastAt) = (count, now) }
        // The first look, or counters that began anew, tell nothing.
        guard let last, count.packetsOut >= last.packetsOut, count.packetsIn >= last.packetsIn
        else {
            sentInVain = 0
            silentSince = now
            traffic = .much
            rateSince = (now, count.bytes)
            return .nothing
        }
        measure(count, at: now)
        let sent = count.packetsOut - last.packetsOut
        if count.packetsIn > last.packetsIn {
            sentInVain = 0
            silentSince = now
            traffic = isLittle(sent, in: now - lastAt) ? .little : .much
            return .heard
        }
        // A line at rest is not silent: silence begins with what was sent in vain.
        // That was just now, as far as one knows after a longer while.
        if sentInVain == 0, sent > 0 { silentSince = max(lastAt, now - Self.period) }
        sentInVain += sent
        traffic = sentInVain == 0 ? .none : .much
        guard sentInVain >= Self.packetsMin, now - silentSince >= patience else {
            return .nothing
        }
        return .silent(since: silentSince)
    }

    private func isLittle(_ packets: UInt64, in time: Duration) -> Bool {
        let few = (Self.littleMax * time.nanoseconds + 500_000_000) / 1_000_000_000
        return packets <= UInt64(clamping: few)
    }

    private mutating func measure(_ count: TrafficCount, at now: Instant) {
        guard let since = rateSince, now - since.at >= .seconds(1) else { return }
        let milliseconds = max(1, (now - since.at).nanoseconds / 1_000_000)
        rate = Int64(clamping: count.bytes &- since.bytes) / milliseconds * 1000
        // Forgotten within some minutes.
        ratePeak = max(rate, ratePeak - ratePeak / 256)
        rateSince = (now, count.bytes)
    }
}
