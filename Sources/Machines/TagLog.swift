package import Base

/// Which of a tag's polled values are recorded.
///
///     polled ──▶ does `when` hold? ──▶ aggregate over `over` ──▶ changed, or `expiry` over? ──▶ recorded
///
/// Each step may be absent, and then lets everything pass.
package struct TagLog: Sendable {
    /// What one value is made of the values of an interval.
    package enum Aggregate: Sendable {
        case average, minimum, maximum, first, last
        /// How much a counter went up; that it fell means that it began anew at zero.
        case increase
        /// Seconds during which a value was true, or not zero; each value holds until the next poll.
        case duration
    }

    package struct Rule: Sendable {
        /// Over the length of an interval; intervals are multiples of it since boot.
        package var aggregate: (kind: Aggregate, over: Duration)?
        package var onChange: OnChange?

        package init(
            aggregate: (kind: Aggregate, over: Duration)? = nil, onChange: OnChange? = nil
        ) {
            self.aggregate = aggregate
            self.onChange = onChange
        }
    }

    package struct OnChange: Sendable {
        /// A number must differ by more than this from the recorded one.
        package var deadband: Double
        /// After this time a value is recorded though it has not changed; nil: never.
        package var expiry: Duration?

        package init(deadband: Double = 0, expiry: Duration? = nil) {
            self.deadband = deadband
            self.expiry = expiry
        }
    }

    private let rule: Rule
    private var interval: Interval?
    private var recorded: (value: TagValue, at: Instant)?

    package init(_ rule: Rule = Rule()) {
        self.rule = rule
    }

    /// The tag was read; what comes back is to be recorded.
    package mutating func polled(_ value: TagValue, at now: Instant, triggerHolds: Bool)
        -> TagValue?
    {
        guard let (kind, over) = rule.aggregate else {
            return triggerHolds ? passed(value, at: now) : nil
        }
        var done: TagValue?
        let turn = now.nanoseconds / max(1, over.nanoseconds)
        if let open = interval, open.turn != turn {
            let end = Instant(nanoseconds: (open.turn + 1) * over.nanoseconds)
            done = open.result(kind, until: min(end, now))
            interval = nil
        }
        if triggerHolds {
            var open = interval ?? Interval(turn: turn, before: lastSeen)
            open.add(value, at: now)
            interval = open
        } else {
            interval?.pause(at: now)
        }
        lastSeen = triggerHolds ? value : nil
        return done.flatMap { passed($0, at: now) }
    }

    /// The tag could not be read: nothing is known of the values between, and the next one is news.
    package mutating func failed() {
        interval = nil
        recorded = nil
        lastSeen = nil
    }

    /// The value of the poll before, from which a counter's increase goes on into the next interval.
    private var lastSeen: TagValue?

    private mutating func passed(_ value: TagValue, at now: Instant) -> TagValue? {
        if let onChange = rule.onChange, let recorded {
            let isOver = onChange.expiry.map { now - recorded.at >= $0 } ?? false
            guard isOver || value.differs(from: recorded.value, by: onChange.deadband) else {
                return nil
            }
        }
        recorded = (value, now)
        return value
    }

    /// What is known of the present interval.
    private struct Interval: Sendable {
        let turn: Int64
        private var first: TagValue?
        private var last: TagValue?
        private var minimum: TagValue?
        private var maximum: TagValue?
        private var sum = 0.0
        private var count = 0
        private var increase = TagValue.integer(0)
        private var trueFor = Duration.zero
        /// Since when the last value holds; nil while the trigger does not.
        private var since: Instant?

        init(turn: Int64, before: TagValue?) {
            self.turn = turn
            last = before
        }

        mutating func add(_ value: TagValue, at now: Instant) {
            pause(at: now)
            if let last { increase = increase.plus(value.grown(since: last)) }
            first = first ?? value
            last = value
            since = now
            guard let number = value.number else { return }
            if minimum.map({ number < $0.number ?? number }) ?? true { minimum = value }
            if maximum.map({ number > $0.number ?? number }) ?? true { maximum = value }
            sum += number
            count += 1
        }

        /// Until now the last value held.
        mutating func pause(at now: Instant) {
            if let since, last?.isTrue ?? false { trueFor += now - since }
            since = nil
        }

        func result(_ kind: Aggregate, until end: Instant) -> TagValue? {
            switch kind {
            case .average: return count > 0 ? .double(sum / Double(count)) : nil
            case .minimum: return minimum
            case .maximum: return maximum
            case .first: return first
            case .last: return last
            case .increase: return first == nil ? nil : increase
            case .duration:
                var copy = self
                copy.pause(at: end)
                return first == nil ? nil : .double(copy.trueFor.inSeconds)
            }
        }
    }
}

extension TagValue {
    /// As a number; nil for texts. Bits count as 0 and 1.
    package var number: Double? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .integer(let value): Double(value)
        case .double(let value): value
        case .string: nil
        }
    }

    /// Whether it is true, or a number other than zero (and not NaN), or a text that is not empty.
    package var isTrue: Bool {
        if case .string(let text) = self { return !text.isEmpty }
        return number.map { $0 != 0 && !$0.isNaN } ?? false
    }

    /// By more than `deadband`, if both are numbers. NaN differs from every number, and from no NaN.
    func differs(from other: TagValue, by deadband: Double) -> Bool {
        guard let one = number, let two = other.number else { return self != other }
        if one.isNaN || two.isNaN { return one.isNaN != two.isNaN }
        if deadband == 0 { return self != other }
        // Infinities differ from themselves by NaN, which is no more than a deadband.
        return one != two && abs(one - two) > deadband
    }

    /// How much a counter went up since an earlier value.
    fileprivate func grown(since earlier: TagValue) -> TagValue {
        if case .integer(let now) = self, case .integer(let before) = earlier {
            let (difference, overflows) = now.subtractingReportingOverflow(before)
            return .integer(now < before ? max(0, now) : overflows ? .max : difference)
        }
        let (now, before) = (number ?? 0, earlier.number ?? 0)
        guard now.isFinite, before.isFinite else { return .double(0) }
        return .double(now < before ? max(0, now) : now - before)
    }

    fileprivate func plus(_ other: TagValue) -> TagValue {
        if case .integer(let one) = self, case .integer(let two) = other {
            let (sum, overflows) = one.addingReportingOverflow(two)
            return .integer(overflows ? .max : sum)
        }
        return .double((number ?? 0) + (other.number ?? 0))
    }
}
