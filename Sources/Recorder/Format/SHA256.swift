/// The hash of FIPS 180-4 §6.2.
package enum SHA256 {
    private static let constants: [UInt32] = {
        // The first 32 bits of the fractions of the cube roots of the first 64 primes.
        var primes: [UInt64] = []
        var candidate: UInt64 = 2
        while primes.count < 64 {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map { UInt32(truncatingIfNeeded: fraction(of: $0, power: 3)) }
    }()
    private static let start: [UInt32] = [2, 3, 5, 7, 11, 13, 17, 19].map {
        UInt32(truncatingIfNeeded: fraction(of: $0, power: 2))
    }

    /// The root of a prime times 2³², cut; found by halving, in whole numbers.
    private static func fraction(of prime: UInt64, power: Int) -> UInt64 {
        var low: UInt64 = 0
        var high: UInt64 = 1 << 36
        while high - low > 1 {
            let middle = (low + high) / 2
            if isAtMost(middle, prime, power) { low = middle } else { high = middle }
        }
        return low
    }

    /// Whether (`root` / 2³²) to the power is at most `prime`.
    private static func isAtMost(_ root: UInt64, _ prime: UInt64, _ power: Int) -> Bool {
        var product = UInt128(1)
        for _ in 0..<power { product *= UInt128(root) }
        return product <= UInt128(prime) << UInt128(32 * power)
    }

    package static func hash(_ message: [UInt8]) -> [UInt8] {
        var padded = message + [0x80]
        padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
        let bits = UInt64(message.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) {
            padded.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        var state = start
        for block in stride(from: 0, to: padded.count, by: 64) {
            compress(padded[block..<block + 64], &state)
        }
        return state.flatMap { word in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
        }
    }

    private static func compress(_ block: ArraySlice<UInt8>, _ state: inout [UInt32]) {
        var words: [UInt32] = []
        var index = block.startIndex
        for _ in 0..<16 {
            words.append(
                UInt32(block[index]) << 24 | UInt32(block[index + 1]) << 16
                    | UInt32(block[index + 2]) << 8 | UInt32(block[index + 3]))
            index += 4
        }
        for t in 16..<64 {
            let a = words[t - 15]
            let b = words[t - 2]
            let s0 = turned(a, 7) ^ turned(a, 18) ^ a >> 3
            let s1 = turned(b, 17) ^ turned(b, 19) ^ b >> 10
            words.append(words[t - 16] &+ s0 &+ words[t - 7] &+ s1)
        }
        var v = state
        for t in 0..<64 {
            let s1 = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)
            let choice = v[4] & v[5] ^ ~v[4] & v[6]
            let first = v[7] &+ s1 &+ choice &+ constants[t] &+ words[t]
            let s0 = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
            v = [first &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ v[index] }
    }

    private static func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word >> bits | word << (32 - bits)
    }
}
