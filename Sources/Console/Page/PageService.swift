package import Base
import Linux
package import Logging

/// Shows the status page to the machine network: read only, bounded, without a thread of its own.
package actor PageService {
    private let address: IPv4Address
    private let port: UInt16
    private let content: @Sendable () async -> (StatusDocument, [EventEntry])
    private let clock: any MonotonicClock
    private let logger: Logger
    /// Why it cannot be shown; nil while it is.
    package private(set) var trouble: String?

    /// A page is made at most this often.
    private static let freshFor = Duration.seconds(1)
    /// Until the next attempt to listen: the interface may not have its address yet.
    private static let retryPause = Duration.seconds(5)

    package init(
        address: IPv4Address, port: UInt16, clock: any MonotonicClock, logger: Logger,
        content: @escaping @Sendable () async -> (StatusDocument, [EventEntry])
    ) {
        self.address = address
        self.port = port
        self.clock = clock
        self.logger = logger
        self.content = content
    }

    /// Runs until cancelled. A page that cannot be shown is a trouble, never the end of the router.
    package func run() async throws {
        while true {
            do {
                try await serve()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if trouble == nil {
                    logger.warning("no status page", metadata: ["error": "\(error)"])
                }
                trouble = "\(error)"
                try await clock.sleep(until: clock.now() + Self.retryPause)
            }
        }
    }

    private func serve() async throws {
        let shelf = PageShelf()
        let listener = try PageListener(address, port: port, shelf: shelf)
        trouble = nil
        logger.notice("status page", metadata: ["url": "http://\(address):\(port)/"])
        var madeAt: Instant?
        var pause: Duration?
        while true {
            let deadline = pause.map { clock.now() + $0 }
            _ = try await Reactor.shared.wait(
                for: .readable, on: listener.descriptor, until: deadline)
            // Made only when somebody looks.
            if madeAt.map({ clock.now() - $0 >= Self.freshFor }) ?? true {
                let (document, events) = await content()
                shelf.put(
                    live: StatusPage.html(document, events: events),
                    still: StatusPage.html(document, events: events, isLive: false),
                    metrics: PrometheusText.render(document))
                madeAt = clock.now()
            }
            pause = listener.work()
        }
    }
}
