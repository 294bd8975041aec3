import Base
import Cloud
import Egress
import Firewall
import Glibc
import Linux
import Logging
import Machines
import Recorder
import Synchronization
import Tunnel
import Uplinks

/// Tells systemd that the daemon lives (`WatchdogSec`): each beat says that every room has answered since the last.
///
/// A room that hangs never answers, so no beat follows, and systemd begins the daemon anew.
struct Pulse: Sendable {
    let house: House
    let clock: SystemClock
    let logger: Logger
    /// Three beats within the time that systemd allows; nil: nobody listens.
    private let interval: Duration?
    /// Who is being asked.
    private let asked = Asked()

    private final class Asked: Sendable {
        let room = Mutex<(name: String, since: Instant)?>(nil)
    }

    init(house: House, clock: SystemClock, logger: Logger) {
        self.house = house
        self.clock = clock
        self.logger = logger
        let microseconds = getenv("WATCHDOG_USEC").flatMap { Int64(String(cString: $0)) }
        interval = microseconds.map { .microseconds($0) / 3 }
    }

    func run() async throws {
        guard let interval else { return try await House.untilCancelled() }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await complain(every: interval) }
            while true {
                await askEverybody()
                try? Notify().send(.watchdog)
                try await clock.sleep(until: clock.now() + interval)
            }
        }
    }

    private func askEverybody() async {
        await ask("firewall") { _ = try? await house.firewall.status() }
        await ask("egress") { _ = await house.egress.tenant.status() }
        await ask("uplinks") { _ = await house.uplinks.tenant.status() }
        await ask("tunnel") { _ = await house.remote.tenant?.tunnel?.status() }
        await ask("machines") { _ = await house.machines.tenant.status() }
        await ask("recorder") { _ = await house.recorder.tenant.status() }
        await ask("cloud") { _ = await house.cloud.tenant.status() }
    }

    private func ask(_ name: String, _ question: () async -> Void) async {
        let now = clock.now()
        asked.room.withLock { $0 = (name, now) }
        await question()
        asked.room.withLock { $0 = nil }
    }

    /// Names the room that is silent, before systemd loses its patience.
    private func complain(every interval: Duration) async throws {
        while true {
            try await clock.sleep(until: clock.now() + interval)
            guard let room = asked.room.withLock({ $0 }), clock.now() - room.since >= interval
            else {
                continue
            }
            logger.error("room does not answer", metadata: ["room": "\(room.name)"])
        }
    }
}
