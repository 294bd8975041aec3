import Base

/// The mixes of machine data that the figures are about, by seed.
struct Mix {
    /// 30 % temperatures at 0.1°, 10 % pressures at 0.001, 3 % float noise, 15 % counters, 25 % booleans,
    /// 12 % setpoints, 5 % status texts; 1 Hz, one timestamp a poll with ±5 ms of jitter.
    static let standard = [30, 10, 3, 15, 25, 12, 5]
    /// The same with 40 % of float noise.
    static let noisy = [18, 6, 40, 9, 16, 8, 3]

    private var kinds: [Int] = []
    private var names: [String] = []
    private var state: [Double] = []
    private var random: Random
    private var second = 0
    private let states = ["RUNNING", "IDLE", "ALARM: door open", "MAINTENANCE", "STARTING UP"]

    struct Random {
        var value: UInt64
        mutating func next() -> UInt64 {
            value ^= value << 13
            value ^= value >> 7
            value ^= value << 17
            return value
        }
        mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
        /// Of mean 0 and variance 1, roughly normal.
        mutating func normal() -> Double {
            (0..<6).reduce(0) { sum, _ in sum + unit() } * 1.414 - 4.243
        }
        mutating func happens(onceIn seconds: Int) -> Bool { next() % UInt64(seconds) == 0 }
    }

    init(_ shares: [Int], tags: Int, seed: UInt64 = 42) {
        random = Random(value: seed)
        for (kind, share) in shares.enumerated() {
            for n in 0..<tags * share / 100 {
                kinds.append(kind)
                names.append("line\(n % 4).unit\(n % 25).value\(kind)-\(n)")
            }
        }
        while kinds.count < tags {
            kinds.append(4)
            names.append("spare-\(kinds.count)")
        }
        for index in kinds.indices { state.append(Double(index % 50)) }
    }

    /// The readings of one second.
    mutating func poll() -> [Reading] {
        second += 1
        let jitter = Int64(random.next() % 10_000_000) - 5_000_000
        let nanoseconds = Int64(second) * 1_000_000_000 + jitter
        let time = Timestamp(
            monotonic: Instant(nanoseconds: nanoseconds),
            wall: WallTime(milliseconds: 1_790_000_000_000 + nanoseconds / 1_000_000))
        var readings: [Reading] = []
        readings.reserveCapacity(kinds.count)
        for index in kinds.indices {
            readings.append(
                Reading(
                    source: "plc-\(index % 10)", tag: names[index], value: value(index), time: time)
            )
        }
        return readings
    }

    private mutating func value(_ index: Int) -> TagValue {
        switch kinds[index] {
        case 0:
            if random.happens(onceIn: 4) { state[index] += random.next() & 1 == 0 ? 0.1 : -0.1 }
            return .double((state[index] * 10).rounded() / 10)
        case 1:
            if random.happens(onceIn: 2) { state[index] += (random.unit() - 0.5) * 0.004 }
            return .double((state[index] * 1000).rounded() / 1000)
        case 2: return .double(Double(Float(50 + random.normal())))
        case 3:
            state[index] += Double(index % 3) + (random.happens(onceIn: 8) ? 1 : 0)
            return .integer(Int64(state[index]))
        case 4:
            if random.happens(onceIn: 60) { state[index] = state[index] > 0 ? 0 : 1 }
            return .bool(state[index] > 0)
        case 5:
            if random.happens(onceIn: 600) { state[index] = Double(random.next() % 1000) / 10 }
            return .double(state[index])
        default:
            if random.happens(onceIn: 120) { state[index] = Double(random.next() % 5) }
            return .string(states[Int(state[index]) % 5])
        }
    }
}
