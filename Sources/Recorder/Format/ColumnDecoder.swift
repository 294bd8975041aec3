import Base

/// Reads what `ColumnEncoder` wrote; nil at the first thing that cannot be.
struct ColumnDecoder {
    var shape: ByteReader
    var values: ByteReader

    /// Reads `count` values: their kinds and bits; texts are appended to `texts`.
    mutating func next(_ count: Int, texts: inout [String]) -> (kinds: [UInt8], bits: [UInt64])? {
        guard let runs = shape.varint(), runs > 0, runs <= UInt64(count) else { return nil }
        var kinds: [UInt8] = []
        kinds.reserveCapacity(count)
        for run in 0..<runs {
            guard let kind: UInt8 = shape.fixed(), kind & 15 <= Rows.Kind.text,
                kind & ~(15 | Rows.Kind.flags) == 0
            else { return nil }
            var length = UInt64(count - kinds.count)
            if run + 1 < runs {
                guard let told = shape.varint(), told <= length else { return nil }
                length = told
            }
            kinds.append(contentsOf: repeatElement(kind, count: Int(length)))
        }
        guard kinds.count == count else { return nil }
        let type = kinds[0] & 15
        if runs == 1 || kinds.allSatisfy({ $0 & 15 == type }) {
            return column(type, count, &texts).map { (kinds, $0) }
        }
        var bits = [UInt64](repeating: 0, count: count)
        for type in Rows.Kind.all {
            let places = kinds.indices.filter { kinds[$0] & 15 == type }
            guard !places.isEmpty else { continue }
            guard let part = column(type, places.count, &texts) else { return nil }
            for (place, value) in zip(places, part) { bits[place] = value }
        }
        return (kinds, bits)
    }

    private mutating func column(_ type: UInt8, _ count: Int, _ texts: inout [String])
        -> [UInt64]?
    {
        switch type {
        case Rows.Kind.bool: bools(count)
        case Rows.Kind.integer: integers(count)
        case Rows.Kind.double: doubles(count)
        default: textPlaces(count, &texts)
        }
    }

    private mutating func bools(_ count: Int) -> [UInt64]? {
        guard let first: UInt8 = shape.fixed(), first <= 1 else { return nil }
        var value = UInt64(first)
        var bits: [UInt64] = []
        bits.reserveCapacity(count)
        while bits.count < count {
            guard let length = values.varint(), length <= UInt64(count - bits.count) else {
                return nil
            }
            bits.append(contentsOf: repeatElement(value, count: Int(length)))
            value ^= 1
        }
        return bits
    }

    private mutating func integers(_ count: Int) -> [UInt64]? {
        guard let order: UInt8 = shape.fixed(), order == 1 || order == 2 else { return nil }
        var bits: [UInt64] = []
        bits.reserveCapacity(count)
        var value: Int64 = 0
        var difference: Int64 = 0
        while bits.count < count {
            guard let coded = values.zigzag() else { return nil }
            if coded == 0 {
                guard let zeros = values.varint(), zeros <= UInt64(count - bits.count) else {
                    return nil
                }
                if order == 1 {
                    bits.append(
                        contentsOf: repeatElement(UInt64(bitPattern: value), count: Int(zeros)))
                } else {
                    for _ in 0..<zeros {
                        value = value &+ difference
                        bits.append(UInt64(bitPattern: value))
                    }
                }
                continue
            }
            difference = order == 2 ? difference &+ coded : coded
            value = value &+ difference
            bits.append(UInt64(bitPattern: value))
        }
        return bits
    }

    private mutating func doubles(_ count: Int) -> [UInt64]? {
        guard let form: UInt8 = shape.fixed() else { return nil }
        switch form {
        case 0...ColumnEncoder.DoubleForm.decimalsMax:
            guard var bits = integers(count) else { return nil }
            let power = ColumnEncoder.powers[Int(form)]
            for place in bits.indices {
                bits[place] = (Double(Int64(bitPattern: bits[place])) / power).bitPattern
            }
            return bits
        case ColumnEncoder.DoubleForm.float32:
            return planes(count, bytes: 4)?.map {
                Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))).bitPattern
            }
        case ColumnEncoder.DoubleForm.float64:
            return planes(count, bytes: 8)
        default: return nil
        }
    }

    private mutating func planes(_ count: Int, bytes: Int) -> [UInt64]? {
        guard let raw = values.bytes(count * bytes) else { return nil }
        var bits = [UInt64](repeating: 0, count: count)
        var index = raw.startIndex
        for _ in 0..<bytes {
            for place in 0..<count {
                bits[place] = bits[place] << 8 | UInt64(raw[index])
                index += 1
            }
        }
        return bits
    }

    private mutating func textPlaces(_ count: Int, _ texts: inout [String]) -> [UInt64]? {
        guard let distinct = shape.varint(), distinct > 0, distinct <= UInt64(count) else {
            return nil
        }
        let first = UInt64(texts.count)
        for _ in 0..<distinct {
            guard let text = values.text(bytesMax: Reading.valueBytesMax) else { return nil }
            texts.append(text)
        }
        guard let places = integers(count), places.allSatisfy({ $0 < distinct }) else {
            return nil
        }
        return places.map { first + $0 }
    }
}
