import Base
import Testing
import Uplinks

/// Against a reference that keeps all probes in a list and goes through it each time.
@Suite("Window of probes")
struct ProbeWindowTests {
    private struct Reference {
        enum Outcome { case pending, lost, withdrawn, answered }
        var probes: [(sequence: UInt16, target: IPv4Address, sentAt: Instant, outcome: Outcome)] =
            []

        mutating func sent(_ sequence: UInt16, to target: IPv4Address, at now: Instant) {
            probes.append((sequence, target, now, .pending))
            if probes.count > ProbeWindow.probesMax { probes.removeFirst() }
        }

        mutating func lost(_ sequence: UInt16) {
            guard let index = probes.firstIndex(where: { $0.sequence == sequence }) else { return }
            probes[index].outcome = .lost
        }

        mutating func endPending(as outcome: Outcome) {
            for index in probes.indices where probes[index].outcome == .pending {
                probes[index].outcome = outcome
            }
        }

        mutating func answered(
            _ sequence: UInt16, from target: IPv4Address, at now: Instant
        ) -> Duration? {
            guard let index = probes.firstIndex(where: { $0.sequence == sequence }),
                probes[index].target == target,
                [.pending, .lost].contains(probes[index].outcome)
            else { return nil }
            probes[index].outcome = .answered
            return now - probes[index].sentAt
        }

        func lossesInARow(of target: IPv4Address, at now: Instant) -> Int {
            probes.reversed().filter { $0.target == target }.prefix { $0.outcome != .answered }
                .count { probe in
                    switch probe.outcome {
                    case .pending: now - probe.sentAt >= ProbeWindow.patience
                    case .lost: true
                    case .withdrawn, .answered: false
                    }
                }
        }
    }

    @Test("any dialogue, numbered in a row or with gaps, over the ring's end", arguments: 1...6)
    func dialogues(seed: UInt64) {
        var random = SplitMix(state: seed)
        var window = ProbeWindow()
        var reference = Reference()
        let targets = [MonitorDialogue.first, MonitorDialogue.second]
        var now = Instant(nanoseconds: 1_000_000_000)
        // Near the end of the numbers, which begin anew.
        var sequence = UInt16.max - 700
        var mistakes = 0
        for _ in 0..<2000 {
            now += .milliseconds(Int64.random(in: 0...400, using: &random))
            let other = sequence &- UInt16.random(in: 0...600, using: &random)
            let target = targets[Int.random(in: 0...1, using: &random)]
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<10:
                // Even seeds leave numbers out.
                let gap = seed.isMultiple(of: 2) ? UInt16.random(in: 1...3, using: &random) : 1
                sequence &+= gap
                window.sent(sequence, to: target, at: now)
                reference.sent(sequence, to: target, at: now)
            case 10..<13:
                let number = Bool.random(using: &random) ? sequence : other
                window.lost(number)
                reference.lost(number)
            case 13..<18:
                let number = Bool.random(using: &random) ? sequence : other
                let time = window.answered(number, from: target, at: now)
                if time != reference.answered(number, from: target, at: now) { mistakes += 1 }
            case 18:
                window.allPendingLost()
                reference.endPending(as: .lost)
            default:
                window.allPendingWithdrawn()
                reference.endPending(as: .withdrawn)
            }
            for target in targets {
                let losses = window.lossesInARow(of: target, at: now)
                if losses != reference.lossesInARow(of: target, at: now) { mistakes += 1 }
            }
        }
        #expect(mistakes == 0)
    }

    @Test("of targets that lose as much, the one that was asked more often counts")
    func equals() {
        var window = ProbeWindow()
        let silent = IPv4Address(value: 0x0808_0808)
        // So that the order in which they were asked says nothing.
        let counts = [
            (MonitorDialogue.first, 10), (silent, 12), (MonitorDialogue.second, 14),
            (IPv4Address(value: 0x0404_0404), 11),
        ]
        let now = Instant(nanoseconds: 1_000_000_000)
        var sequence: UInt16 = 0
        for (target, count) in counts {
            for _ in 0..<count {
                window.sent(sequence, to: target, at: now)
                if target == silent {
                    window.lost(sequence)
                } else {
                    _ = window.answered(sequence, from: target, at: now + .milliseconds(20))
                }
                sequence += 1
            }
        }
        let measure = window.measure(from: now, at: now + .seconds(2))
        let best = QualityMeasure(
            probes: 14, lost: 0, lostOfAll: 12, roundTrip: .milliseconds(20))
        #expect(measure == best)
    }
}
