/// Cuts a stream of bytes into lines of bounded length; what is too long is dropped as a whole.
package struct LineSplitter: Sendable {
    package static let lineBytesMax = 2048

    private var line: [UInt8] = []
    private var isTooLong = false
    /// How many lines were dropped.
    package private(set) var dropped = 0

    package init() {}

    /// The lines that these bytes complete, without their ends; invalid UTF-8 is replaced.
    package mutating func take(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if isTooLong {
                    dropped += 1
                } else {
                    if line.last == UInt8(ascii: "\r") { line.removeLast() }
                    lines.append(String(decoding: line, as: UTF8.self))
                }
                line.removeAll(keepingCapacity: true)
                isTooLong = false
            } else if line.count < Self.lineBytesMax {
                line.append(byte)
            } else {
                isTooLong = true
            }
        }
        return lines
    }
}
