import Glibc
import Linux

/// The lines of a child's standard output, as they come.
struct Lines {
    /// Longest line, without its end: an MQTT payload of 4 MiB in hexadecimal, and its topic.
    static let lineBytesMax = 9 << 20

    private let child: ChildProcess
    private var buffer: [UInt8] = []
    private var searched = 0

    init(of child: ChildProcess) {
        self.child = child
    }

    /// The next line; nil at the end. Throws `CancellationError` when the task is cancelled.
    mutating func next() async throws -> String? {
        let raw = child.standardOutput.raw
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                searched = 0
                return line
            }
            searched = buffer.count
            guard buffer.count <= Self.lineBytesMax else {
                throw SiteError("a line of output is longer than \(Self.lineBytesMax) bytes")
            }
            let count = chunk.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
            if count > 0 {
                buffer += chunk[..<count]
            } else if count < 0 && errno == EAGAIN {
                _ = try await Reactor.shared.wait(for: .readable, on: raw)
            } else if count == 0 || errno != EINTR {
                return nil
            }
        }
    }
}
