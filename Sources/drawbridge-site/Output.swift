import Glibc

/// Standard output without a buffer: who reads our log must not wait for it.
enum Output {
    static func line(_ text: String) {
        write(text + "\n")
    }

    /// To standard error: how far a long measurement is.
    static func progress(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }

    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
    }
}
