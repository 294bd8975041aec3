import Base

// Lines that are full.
extension Site {
    private static let uploadPort: UInt16 = 5997

    /// A provider's way to the internet takes so many bits a second from now on, behind a queue of so long: the
    /// "bufferbloat" of a modem.
    package func narrow(_ isp: ISP, bitsPerSecond: Int, queue: Duration) async throws {
        let bytes = Int(queue.inSeconds * Double(bitsPerSecond) / 8)
        try await output(
            in: isp.place,
            [
                "tc", "qdisc", "replace", "dev", "wan", "root", "tbf", "rate",
                "\(bitsPerSecond)bit", "burst", "5000", "limit", "\(bytes)",
            ])
    }

    package func widen(_ isp: ISP) async throws {
        try await output(in: isp.place, ["tc", "qdisc", "del", "dev", "wan", "root"])
    }

    /// Uploads from a place to the service, over TCP and as fast as it goes, until the parts are stopped.
    package func startUploads(_ count: Int, from place: Place) async throws -> [Part] {
        let swallow = try startBackground(
            in: .cloud, name: "swallow",
            [programs.site, "swallow", "--port", "\(Self.uploadPort)"])
        try await swallow.waitUntilReady(saying: "listening", within: options.readyWithin)
        var parts = [swallow]
        for _ in 0..<count {
            parts.append(
                try startBackground(
                    in: place, name: "upload",
                    [
                        programs.site, "upload", "--to", FailoverBench.service, "--port",
                        "\(Self.uploadPort)",
                    ]))
        }
        return parts
    }
}
