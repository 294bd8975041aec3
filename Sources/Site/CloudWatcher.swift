import Base
import Linux

/// The cloud's side of the broker: a real `mosquitto_sub` with a certificate of its own, read line by line.
package actor CloudWatcher {
    private var counted = CloudTally()
    private let part: Part

    init(in holder: Holder, directory: SiteDirectory) throws {
        let pki = directory.certificates
        // A persistent session at QoS 1: the broker keeps for it what comes while it reconnects.
        part = try Part(
            "watcher", in: .cloud, of: holder,
            [
                "mosquitto_sub", "-h", "mqtt.ixon.net", "-p", "443", "-i", "cloud-watcher", "-c",
                "-q", "1", "-t", "spBv1.0/#", "-F", "%t %x", "--cafile", "\(pki)/ca.pem",
                "--cert", "\(pki)/watcher.pem", "--key", "\(pki)/watcher.key",
            ], output: .pipe, directory: directory)
        let lines = Lines(of: part.entry)
        // Bridges the child's pipe: ends with it, at the latest when the site does.
        Task.detached { [weak self] in
            var lines = lines
            while let line = try? await lines.next() {
                guard let self else { return }
                await self.received(line, at: SystemClock().now())
            }
        }
    }

    private func received(_ line: String, at now: Instant) {
        let parts = line.split(separator: " ", maxSplits: 1)
        guard let topic = parts.first, let payload = Self.bytes(parts.dropFirst().first ?? "")
        else { return }
        counted.received(topic: String(topic), payload: payload, at: now)
    }

    /// The tally up to now.
    package var tally: CloudTally { counted }

    /// Looks at the tally in place, without a copy.
    package func look<R: Sendable>(_ body: @Sendable (CloudTally) throws -> R) rethrows -> R {
        try body(counted)
    }

    /// The bytes of a hexadecimal text; nil if it is not one.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 48...57: byte - 48
            case 65...70: byte - 55
            case 97...102: byte - 87
            default: nil
            }
        }
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
