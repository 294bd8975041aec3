package import Base
import Linux
package import Logging
package import Settings

/// Records what the brokers of the machine network publish, each in a session of its own.
package final class SubscriptionsService: Sendable {
    private let subscribers: [BrokerSubscriber]

    /// - Parameters:
    ///   - brokers: The brokers and their tags.
    ///   - device: This router's name, a part of our client ids.
    ///   - sink: Takes the readings of some messages; what it does not take is counted and not offered again.
    ///   - clock: When messages came.
    ///   - wall: The same by the wall clock.
    ///   - logger: Gets one `notice` a change of a broker's state.
    package init(
        brokers: [Settings.Subscription], device: String,
        sink: @escaping @Sendable ([Reading]) async throws -> Void,
        clock: any MonotonicClock, wall: @escaping @Sendable () -> WallTime, logger: Logger
    ) {
        subscribers = brokers.map {
            BrokerSubscriber(
                $0, device: device, sink: sink, clock: clock, wall: wall, logger: logger)
        }
    }

    /// Listens until it is cancelled.
    package func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for subscriber in subscribers {
                group.addTask { await subscriber.run() }
            }
        }
        // Without brokers, too, this is a place where somebody lives.
        for await _ in AsyncStream<Never>.makeStream().stream {}
    }

    /// In the order of the settings; never waits for a broker.
    package func status() -> [MachineStatus] { subscribers.map { $0.status() } }
}
