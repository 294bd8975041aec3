package import Base
package import Settings

/// What a broker's messages say of its tags, and which readings they make.
package struct SubscribedTags: Sendable {
    package struct Outcome: Equatable, Sendable {
        package var readings: [Reading] = []
        /// Values that were understood, recorded or not.
        package var values = 0
        /// Why payloads were refused, with their topics.
        package var refused: [String] = []
    }

    private let source: String
    private let tags: [Settings.Subscription.Tag]
    /// Topic → tags.
    private let places: [String: [Int]]
    private var logs: [TagLog]
    /// The last good values; nil: none since the start, or since the broker was gone.
    private var values: [TagValue?]
    private var wasToldBad: [Bool]

    package init(_ broker: Settings.Subscription) {
        source = broker.name
        tags = broker.tags
        var places: [String: [Int]] = [:]
        for (index, tag) in broker.tags.enumerated() {
            places[tag.topic, default: []].append(index)
        }
        self.places = places
        logs = broker.tags.map { tag in
            TagLog(
                TagLog.Rule(
                    onChange: tag.log.on == .change
                        ? .init(deadband: tag.log.deadband, expiry: tag.log.expiry) : nil))
        }
        values = tags.map { _ in nil }
        wasToldBad = tags.map { _ in false }
    }

    /// Each once, in the order of the tags.
    package var topics: [String] {
        var seen: Set<String> = []
        return tags.map(\.topic).filter { seen.insert($0).inserted }
    }

    /// A retained message says what once was: it is news only where nothing better is known.
    package mutating func received(
        topic: String, payload: [UInt8], isRetained: Bool, at time: Timestamp
    ) -> Outcome {
        var outcome = Outcome()
        for index in places[topic] ?? [] {
            let tag = tags[index]
            do throws(PayloadValue.Refusal) {
                let value = try PayloadValue.read(payload, as: tag.type, at: tag.pointer)
                outcome.values += 1
                guard !isRetained || values[index] != value else { continue }
                values[index] = value
                wasToldBad[index] = false
                let kept = logs[index].polled(value, at: time.monotonic, triggerHolds: true)
                if let kept {
                    outcome.readings.append(
                        Reading(source: source, tag: tag.name, value: kept, time: time))
                }
            } catch {
                outcome.refused.append("\(topic): \(error)")
            }
        }
        return outcome
    }

    /// The broker is gone: told once of each tag that had a value.
    package mutating func allFailed(at time: Timestamp) -> [Reading] {
        tags.indices.compactMap { index in
            logs[index].failed()
            guard let last = values[index], !wasToldBad[index] else { return nil }
            values[index] = nil
            wasToldBad[index] = true
            return Reading(
                source: source, tag: tags[index].name, value: last, quality: .bad, time: time)
        }
    }
}

/// How many messages of a broker are taken: a number a second, and more at once after a quiet time.
package struct MessageBudget: Equatable, Sendable {
    private var left: Double
    private var at: Instant

    package init(at now: Instant) {
        left = Double(Limits.subscribedBurstMax)
        at = now
    }

    /// False: too many have come.
    package mutating func take(at now: Instant) -> Bool {
        let filled = left + max(0, (now - at).inSeconds) * Double(Limits.subscribedRateMax)
        left = min(Double(Limits.subscribedBurstMax), filled)
        at = max(at, now)
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}

/// How many values came within the last minute.
package struct MinuteCount: Equatable, Sendable {
    private var counts = [Int](repeating: 0, count: 60)
    private var second: Int64 = 0

    package init() {}

    package mutating func add(_ count: Int, at now: Instant) {
        advance(to: now)
        counts[Int(second % 60)] += count
    }

    package mutating func total(at now: Instant) -> Int {
        advance(to: now)
        return counts.reduce(0, +)
    }

    private mutating func advance(to now: Instant) {
        let present = now.nanoseconds / 1_000_000_000
        guard present > second else { return }
        for passed in max(second + 1, present - 59)...present { counts[Int(passed % 60)] = 0 }
        second = present
    }
}
