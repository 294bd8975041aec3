import Glibc

/// Standard output and error as plain descriptors (`stdout` is not usable in Swift 6 mode).
struct Terminal: Sendable {
    static let output = Terminal(descriptor: 1)
    static let error = Terminal(descriptor: 2)

    let descriptor: Int32

    /// Writes the text and a line feed, whole.
    func print(_ text: String) {
        write(text + "\n")
    }

    /// Writes the text as it is; gives up, and says false, when nobody reads any more.
    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// The same with bytes.
    @discardableResult
    func write(_ content: [UInt8]) -> Bool {
        var bytes = content[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno != EINTR && errno != EAGAIN {
                return false
            }
        }
        return true
    }

    /// Whether a person looks at it and wants colour (https://no-color.org).
    var wantsColour: Bool {
        isatty(descriptor) == 1 && getenv("NO_COLOR") == nil
    }

    /// Whether the terminal's character set has more than ASCII, as far as the locale says.
    static var wantsUnicode: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = getenv(name), value.pointee != 0 else { continue }
            let locale = String(cString: value).uppercased()
            return locale.contains("UTF-8") || locale.contains("UTF8")
        }
        return false
    }

    var isTerminal: Bool { isatty(descriptor) == 1 }
}
