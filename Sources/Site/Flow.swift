package import Base
import Glibc
import Linux

/// A running stream of datagrams between two places of the site.
package struct Flow: Sendable {
    fileprivate let sender: Part
    fileprivate let sink: Part
    fileprivate let directory: SiteDirectory

    /// One datagram that arrived.
    package struct Arrival: Equatable, Sendable {
        package var number: UInt64
        package var sent: Instant
        package var arrived: Instant
    }

    /// What arrived, and how long the sender went on.
    package struct Report: Sendable {
        package var arrivals: [Arrival]
        /// The last datagram the sender told of, at least; it tells of every fiftieth.
        package var lastSent: Instant?
        package var sentAtLeast: UInt64

        package var lastArrival: Instant? { arrivals.last?.arrived }

        /// The last datagram that passed and was sent after `moment`; nil: none was.
        package func lastArrival(sentAfter moment: Instant) -> Instant? {
            arrivals.last { $0.sent > moment }?.arrived
        }
    }

    /// What has arrived until now, while the stream goes on.
    package func report() throws -> Report {
        let arrivals = try numbers(sink, 3).map {
            Arrival(
                number: UInt64($0[0]), sent: Instant(nanoseconds: $0[1]),
                arrived: Instant(nanoseconds: $0[2]))
        }
        let last = try numbers(sender, 2).last
        return Report(
            arrivals: arrivals, lastSent: last.map { Instant(nanoseconds: $0[1]) },
            sentAtLeast: last.map { UInt64($0[0]) } ?? 0)
    }

    /// Ends the stream: first the sender, then the sink.
    package func stop() async throws -> Report {
        await sender.stop()
        await sink.stop()
        return try report()
    }

    /// The lines of a program's log that are `count` numbers.
    private func numbers(_ part: Part, _ count: Int) throws -> [[Int64]] {
        try SmallFile.readText(directory.log(part.name), bytesMax: 64 << 20)
            .split(separator: "\n")
            .map { $0.split(separator: " ").compactMap { Int64($0) } }
            .filter { $0.count == count }
    }
}

extension Site {
    /// Starts a stream of small datagrams, by default from the technician through the VPN to the machine.
    package func startFlow(
        from source: Place = .remote, to address: IPv4Address = machineAddress,
        arrivingIn destination: Place = .plc, port: UInt16 = 4999, rate: Int = 1000
    ) async throws -> Flow {
        precondition((1...10_000).contains(rate), "datagrams a second")
        let sink = try startBackground(
            in: destination, name: "sink", [programs.site, "sink", "--port", "\(port)"])
        try await sink.waitUntilReady(saying: "listening", within: options.readyWithin)
        let sender = try startBackground(
            in: source, name: "flood",
            [
                programs.site, "flood", "--to", "\(address)", "--port", "\(port)", "--rate",
                "\(rate)",
            ])
        return Flow(sender: sender, sink: sink, directory: directory)
    }

    /// The machine's address on the router's LAN.
    package static let machineAddress = IPv4Address(value: 0xc0a8_8c0a)

    /// Reads the oven's temperature over Modbus from a place; throws when the machine cannot be reached.
    package nonisolated func readMachine(
        from place: Place, timeout: Duration = .seconds(1)
    ) async throws -> Double {
        let milliseconds = timeout.nanoseconds / 1_000_000
        let text = try await output(
            in: place,
            [
                programs.site, "modbus-read", "\(Self.machineAddress)", "--timeout",
                "\(milliseconds)",
            ], timeout: timeout * 2 + .seconds(2))
        guard let value = Double(text.filter { !$0.isWhitespace }) else {
            throw SiteError("the machine's temperature is not a number: \(text)")
        }
        return value
    }
}
