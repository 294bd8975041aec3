package import Base
import Linux
package import Logging

/// Looks at the LAN's ports and asks for its machines, again and again.
package actor LANWatchService {
    /// What is to be watched; it may be another one at each look.
    package struct Wanted: Equatable, Sendable {
        package var interface: String
        package var machines: [String: IPv4Address]

        package init(interface: String, machines: [String: IPv4Address]) {
            self.interface = interface
            self.machines = machines
        }
    }

    /// From one look to the next: longer than the kernel goes on asking.
    package static let period = Duration.seconds(5)

    private let wanted: @Sendable () -> Wanted
    private let clock: any MonotonicClock
    private let logger: Logger
    private let socket: NetlinkSocket
    private var watch = LANWatch()
    private var trouble: String?

    /// Opens its socket in the network namespace of the calling thread.
    package init(
        clock: any MonotonicClock, logger: Logger, wanted: @escaping @Sendable () -> Wanted
    ) throws {
        self.wanted = wanted
        self.clock = clock
        self.logger = logger
        socket = try NetlinkSocket(family: 0)
    }

    package func status() -> LANWatch { watch }

    /// Runs until it is cancelled.
    package func run() async throws {
        while !Task.isCancelled {
            look()
            try await clock.sleep(until: clock.now() + Self.period)
        }
    }

    private func look() {
        let wanted = wanted()
        let now = clock.now()
        watch.expect(
            wanted.machines.sorted { $0.key < $1.key }.map { (name: $0.key, address: $0.value) },
            at: now)
        watch.portsSeen(NeighbourProbe.ports(of: wanted.interface), at: now)
        guard let index = NeighbourProbe.index(of: wanted.interface) else { return }
        do {
            let answers = try NeighbourProbe.answers(on: index, socket)
            watch.looked(answers, at: now)
            for machine in watch.machines {
                try NeighbourProbe.ask(
                    machine.address, on: index, isKnown: answers[machine.address] == true, socket)
            }
            trouble = nil
        } catch {
            guard trouble != "\(error)" else { return }
            trouble = "\(error)"
            logger.warning("machines are not asked for", metadata: ["error": "\(error)"])
        }
    }
}
