package import Base
import Linux
package import Logging
package import Settings

/// Reads all machines of the site, each at its own pace, and passes the readings on.
package final class MachinesService: Sendable {
    private let pollers: [MachinePoller]

    /// - Parameters:
    ///   - machines: The machines and their tags.
    ///   - sink: Takes all readings of one poll; what it does not take is counted and not offered again.
    ///   - clock: The clock that polls are aligned to.
    ///   - random: Spreads the attempts to reach machines that do not answer.
    ///   - logger: Gets one `notice` a change of a machine's state.
    package init(
        machines: [Settings.Machine], sink: @escaping @Sendable ([Reading]) async throws -> Void,
        clock: any MonotonicClock = SystemClock(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        logger: Logger
    ) {
        pollers = machines.map {
            MachinePoller($0, sink: sink, clock: clock, random: random, logger: logger)
        }
    }

    /// Polls until it is cancelled.
    package func run() async throws {
        await withDiscardingTaskGroup { group in
            for poller in pollers {
                // On the machine's thread, waiting included: the end of a poll wakes nobody else.
                group.addTask(executorPreference: poller.executor) { await poller.run() }
            }
        }
    }

    /// In the order of the settings; never waits for a machine.
    package func status() async -> [MachineStatus] { pollers.map(\.status) }
}
