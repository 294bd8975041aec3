/// What the reader of a stick hands on: the files that may be meant for this router, or why there are none.
///
///     file 812 drawbridge-A1.toml        and so many bytes, and a line feed
///     large 300000 drawbridge-A2.toml    too large to be taken along
///     trouble its FAT file system is damaged
///     foreign it is formatted as NTFS
///     end
///
/// Whoever reads it trusts nothing in it: the reader has met what a stranger has written.
package struct StickBundle: Equatable, Sendable {
    package enum Limits {
        package static let filesMax = 256
        package static let bytesMax = 8 << 20
        package static let lineBytesMax = 400
    }

    package struct File: Equatable, Sendable {
        package var name: String
        /// nil: too large to be taken along.
        package var bytes: [UInt8]?
        package var length: UInt64

        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
            length = UInt64(bytes.count)
        }

        package init(name: String, tooLarge length: UInt64) {
            self.name = name
            self.length = length
        }
    }

    package var files: [File] = []
    /// Why the stick could not be read, in words.
    package var trouble: String?
    /// The trouble is that it has another file system than FAT.
    package var isForeign = false

    package init() {}

    package init(trouble: String, isForeign: Bool = false) {
        self.trouble = trouble
        self.isForeign = isForeign
    }

    /// Takes a file along, unless there are too many by now.
    package mutating func add(_ file: File) {
        let taken = files.reduce(0) { $0 + ($1.bytes?.count ?? 0) }
        guard files.count < Limits.filesMax, taken + (file.bytes?.count ?? 0) <= Limits.bytesMax
        else {
            trouble =
                "more than \(Limits.filesMax) configs, or more than \(Limits.bytesMax) bytes of them"
            return
        }
        files.append(file)
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        for file in files {
            let name = Self.printable(file.name)
            if let content = file.bytes {
                bytes += Array("file \(content.count) \(name)\n".utf8) + content + [10]
            } else {
                bytes += Array("large \(file.length) \(name)\n".utf8)
            }
        }
        if let trouble {
            let word = isForeign ? "foreign" : "trouble"
            bytes += Array("\(word) \(Self.printable(trouble))\n".utf8)
        }
        return bytes + Array("end\n".utf8)
    }

    /// Reads what `encoded` writes; nil when it is anything else, or not whole.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Limits.bytesMax + Limits.filesMax * Limits.lineBytesMax else {
            return nil
        }
        var rest = bytes[...]
        while files.count <= Limits.filesMax {
            guard let end = rest.prefix(Limits.lineBytesMax).firstIndex(of: 10) else { return nil }
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            switch words.first {
            case "end" where line == "end":
                guard rest.isEmpty else { return nil }
                return
            case "trouble", "foreign":
                trouble = Self.printable(String(line.dropFirst("trouble ".count)))
                isForeign = words.first == "foreign"
            case "large":
                guard words.count == 3, let length = UInt64(words[1]) else { return nil }
                files.append(File(name: Self.printable(String(words[2])), tooLarge: length))
            case "file":
                guard words.count == 3, let length = Int(words[1]), length >= 0,
                    length < rest.count, rest[rest.startIndex + length] == 10
                else { return nil }
                files.append(
                    File(
                        name: Self.printable(String(words[2])),
                        bytes: Array(rest.prefix(length))))
                rest = rest.dropFirst(length + 1)
            default: return nil
            }
        }
        return nil
    }

    /// Names and words are shown to people and written into the journal: ASCII without control characters, short.
    package static func printable(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(200).map { scalar in
                (32..<127).contains(scalar.value) ? Character(scalar) : "?"
            })
    }
}
