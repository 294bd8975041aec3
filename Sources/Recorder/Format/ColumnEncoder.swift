/// Writes the values of one tag, in the order of time, so that what repeats or changes little takes little.
///
/// The columns of all tags share two streams: `shape` says how each is written, `values` has the numbers.
struct ColumnEncoder {
    var shape = ByteWriter()
    var values = ByteWriter()
    private var integers: [Int64] = []

    /// How a column of doubles is written: 0 … 6 as integers of that many decimals, then bytes of floats.
    enum DoubleForm {
        static let decimalsMax: UInt8 = 6
        static let float32: UInt8 = 7
        static let float64: UInt8 = 8
    }
    static let powers: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

    /// `kinds` and `bits` belong together; the bits of a text are its place in `texts`.
    mutating func add(
        kinds: UnsafeBufferPointer<UInt8>, bits: UnsafeBufferPointer<UInt64>, texts: [String]
    ) {
        let first = kinds[0]
        if kinds.allSatisfy({ $0 == first }) {
            // Nearly every column: one type, one quality.
            shape.varint(1)
            shape.bytes.append(first)
            add(type: first & 15, bits, texts)
            return
        }
        var runs: [(kind: UInt8, length: Int)] = []
        for kind in kinds {
            if runs.last?.kind == kind {
                runs[runs.count - 1].length += 1
            } else {
                runs.append((kind, 1))
            }
        }
        shape.varint(UInt64(runs.count))
        for (index, run) in runs.enumerated() {
            shape.bytes.append(run.kind)
            if index + 1 < runs.count { shape.varint(UInt64(run.length)) }
        }
        if runs.allSatisfy({ $0.kind & 15 == runs[0].kind & 15 }) {
            add(type: runs[0].kind & 15, bits, texts)
            return
        }
        for type in Rows.Kind.all {
            let part = zip(kinds, bits).compactMap { $0 & 15 == type ? $1 : nil }
            if !part.isEmpty { part.withUnsafeBufferPointer { add(type: type, $0, texts) } }
        }
    }

    private mutating func add(
        type: UInt8, _ bits: UnsafeBufferPointer<UInt64>, _ texts: [String]
    ) {
        switch type {
        case Rows.Kind.bool: addBools(bits)
        case Rows.Kind.integer:
            integers.removeAll(keepingCapacity: true)
            for value in bits { integers.append(Int64(bitPattern: value)) }
            addIntegers()
        case Rows.Kind.double: addDoubles(bits)
        default: addTexts(bits, texts)
        }
    }

    /// The first one, then how long each value stays.
    private mutating func addBools(_ bits: UnsafeBufferPointer<UInt64>) {
        var value = bits[0]
        var length: UInt64 = 0
        shape.bytes.append(UInt8(value & 1))
        for next in bits {
            if next == value {
                length += 1
            } else {
                values.varint(length)
                value = next
                length = 1
            }
        }
        values.varint(length)
    }

    /// First or second differences, whichever are smaller; rows of zeros as their length.
    private mutating func addIntegers() {
        var costOfFirst = 0
        var costOfSecond = 0
        var value: Int64 = 0
        var difference: Int64 = 0
        for next in integers {
            let first = next &- value
            let second = first &- difference
            costOfFirst += first.bitWidth - Self.magnitude(first).leadingZeroBitCount
            costOfSecond += second.bitWidth - Self.magnitude(second).leadingZeroBitCount
            value = next
            difference = first
        }
        let isSecond = costOfSecond < costOfFirst
        shape.bytes.append(isSecond ? 2 : 1)
        value = 0
        difference = 0
        var zeros: UInt64 = 0
        for next in integers {
            let first = next &- value
            let coded = isSecond ? first &- difference : first
            value = next
            difference = first
            if coded == 0 {
                zeros += 1
                continue
            }
            if zeros > 0 { addZeros(&zeros) }
            values.zigzag(coded)
        }
        if zeros > 0 { addZeros(&zeros) }
    }

    private static func magnitude(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value << 1 ^ value >> 63)
    }

    private mutating func addZeros(_ count: inout UInt64) {
        values.bytes.append(0)
        values.varint(count)
        count = 0
    }

    private mutating func addDoubles(_ bits: UnsafeBufferPointer<UInt64>) {
        var decimals: UInt8 = 0
        integers.removeAll(keepingCapacity: true)
        search: while decimals <= DoubleForm.decimalsMax {
            let power = Self.powers[Int(decimals)]
            while integers.count < bits.count {
                let place = integers.count
                guard let integer = Self.integer(bits[place], power) else {
                    // What was exact with fewer decimals is exact with more, if it stays small enough.
                    decimals += 1
                    integers.removeAll(keepingCapacity: true)
                    continue search
                }
                integers.append(integer)
            }
            shape.bytes.append(decimals)
            addIntegers()
            return
        }
        let isFloat = bits.allSatisfy {
            let value = Double(bitPattern: $0)
            return Double(Float(value)).bitPattern == $0
        }
        shape.bytes.append(isFloat ? DoubleForm.float32 : DoubleForm.float64)
        // Bytes of equal worth beside each other: signs and exponents repeat, the rest is noise.
        for byte in stride(from: isFloat ? 24 : 56, through: 0, by: -8) {
            for value in bits {
                let raw =
                    isFloat
                    ? UInt64(Float(Double(bitPattern: value)).bitPattern) : value
                values.bytes.append(UInt8(truncatingIfNeeded: raw >> UInt64(byte)))
            }
        }
    }

    /// The number of decimal steps that a double is, if that gives back its very bits.
    @inline(__always)
    private static func integer(_ bits: UInt64, _ power: Double) -> Int64? {
        let scaled = Double(bitPattern: bits) * power
        guard abs(scaled) < exactMax else { return nil }
        // Adding 1.5 · 2⁵² leaves no room for a fraction: two additions where `rounded` is a call.
        let whole = scaled + roundingBias - roundingBias
        guard (whole / power).bitPattern == bits else { return nil }
        return Int64(whole)
    }

    private static let exactMax = 2e15
    private static let roundingBias = 6_755_399_441_055_744.0

    private mutating func addTexts(
        _ places: UnsafeBufferPointer<UInt64>, _ texts: [String]
    ) {
        var numbers: [String: Int64] = [:]
        var distinct = [texts[Int(places[0])]]
        integers.removeAll(keepingCapacity: true)
        integers.append(0)
        // A state stays for long: only another one is looked up.
        var last: Int64 = 0
        for place in places.dropFirst() {
            let text = texts[Int(place)]
            if text != distinct[Int(last)] {
                if numbers.isEmpty { numbers[distinct[0]] = 0 }
                if let number = numbers[text] {
                    last = number
                } else {
                    last = Int64(distinct.count)
                    numbers[text] = last
                    distinct.append(text)
                }
            }
            integers.append(last)
        }
        shape.varint(UInt64(distinct.count))
        for text in distinct { values.text(text) }
        addIntegers()
    }
}
