/// A tar file in memory (POSIX.1-1988, "ustar"): plain files only.
package struct TarArchive {
    package private(set) var bytes: [UInt8] = []
    private let seconds: Int64

    /// Longest content of a file; what is longer is cut, which its end says.
    package static let fileBytesMax = 4 << 20

    /// `seconds` since 1970 are the time of all files.
    package init(seconds: Int64) { self.seconds = max(0, seconds) }

    /// Adds a file; its name has at most 100 bytes of ASCII.
    package mutating func add(_ name: String, _ text: String) {
        var content = Array(text.utf8)
        if content.count > Self.fileBytesMax {
            content = content.prefix(Self.fileBytesMax) + Array("\n[cut off here]\n".utf8)
        }
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int, _ count: Int) {
            for (index, byte) in text.utf8.prefix(count).enumerated() {
                header[offset + index] = byte
            }
        }
        func octal(_ value: Int64, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(name, 0, 100)
        put("0000600", 100, 7)
        put("0000000", 108, 7)
        put("0000000", 116, 7)
        put(octal(Int64(content.count), 11), 124, 11)
        put(octal(seconds, 11), 136, 11)
        put("        ", 148, 8)
        put("0", 156, 1)
        put("ustar\u{0}00", 257, 8)
        let sum = header.reduce(Int64(0)) { $0 + Int64($1) }
        put(octal(sum, 6) + "\u{0} ", 148, 8)
        bytes += header + content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// The whole archive with its end.
    package var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
