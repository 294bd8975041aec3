/// The entries of a folder in a FAT file system, with the long names that stand before them.
package struct FATDirectory {
    package struct File: Equatable, Sendable {
        package var name: String
        package var firstCluster: UInt32
        package var bytes: UInt32
    }

    /// The files of a folder, in its order: no folders, no labels, nothing deleted.
    package static func files(in folder: [UInt8]) -> [File] {
        var files: [File] = []
        var long = LongName()
        for start in stride(from: 0, to: folder.count - folder.count % 32, by: 32) {
            let entry = folder[start..<start + 32]
            switch entry[start] {
            case 0: return files
            case 0xe5:
                long = LongName()
                continue
            default: break
            }
            let attributes = entry[start + 11]
            if attributes & 0x3f == 0x0f {
                long.add(entry)
                continue
            }
            defer { long = LongName() }
            // A label, or a folder.
            guard attributes & 0x18 == 0 else { continue }
            let short = entry.prefix(11)
            func number(_ place: Int, _ bytes: Int) -> UInt32 {
                entry[start + place..<start + place + bytes].reversed()
                    .reduce(0) { $0 << 8 | UInt32($1) }
            }
            files.append(
                File(
                    name: long.text(of: short) ?? shortName(short),
                    firstCluster: number(20, 2) << 16 | number(26, 2), bytes: number(28, 4)))
        }
        return files
    }

    /// `DRAWBR~1TOM` is `DRAWBR~1.TOM`.
    private static func shortName(_ bytes: ArraySlice<UInt8>) -> String {
        func part(_ bytes: ArraySlice<UInt8>) -> String {
            var bytes = bytes
            while bytes.last == 0x20 { bytes.removeLast() }
            return String(decoding: bytes, as: UTF8.self)
        }
        let (name, kind) = (part(bytes.prefix(8)), part(bytes.suffix(3)))
        return kind.isEmpty ? name : "\(name).\(kind)"
    }

    /// A name in UTF-16, thirteen units an entry, the last part first.
    private struct LongName {
        /// Most parts that a name may have.
        private static let partsMax = 20
        private var units: [UInt16] = []
        /// The number of the part that must come next; 0: the file itself.
        private var awaited: UInt8?
        private var checksum: UInt8 = 0

        mutating func add(_ entry: ArraySlice<UInt8>) {
            let start = entry.startIndex
            let order = entry[start] & 0x3f
            if entry[start] & 0x40 != 0 {
                guard (1...Self.partsMax).contains(Int(order)) else { return self = LongName() }
                units = []
                checksum = entry[start + 13]
            } else if awaited != order || order == 0 || checksum != entry[start + 13] {
                return self = LongName()
            }
            awaited = order - 1
            let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
            let part = places.map {
                UInt16(entry[start + $0]) | UInt16(entry[start + $0 + 1]) << 8
            }
            units = part + units
        }

        /// nil: there is none, or it belongs to another file.
        func text(of short: ArraySlice<UInt8>) -> String? {
            guard awaited == 0 else { return nil }
            let sum = short.reduce(UInt8(0)) { ($0 << 7 | $0 >> 1) &+ $1 }
            guard sum == checksum else { return nil }
            return String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
        }
    }
}
