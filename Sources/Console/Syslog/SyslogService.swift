package import Base
import Linux
package import Logging
package import Settings

/// Sends the event log to a syslog server over TLS (RFC 5425), from where it had got to.
///
/// The server confirms nothing (the protocol has no such word): an entry counts as sent when the server's host has
/// confirmed its bytes. What was on its way when a connection ended is sent again, with the same number.
package actor SyslogService {
    // Reading the log takes its time, which others shall not wait for.
    private let executor = ThreadExecutor(name: "syslog")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    package enum Limits {
        /// Entries on their way at a time.
        static let batchMax = 64
        static let connect = Duration.seconds(10)
        /// How long the server's host may take to confirm a batch.
        static let confirm = Duration.seconds(10)
        static let look = Duration.seconds(1)
        static let pauseMin = Duration.seconds(1)
        static let pauseMax = Duration.seconds(60)
        /// A session of this length was none that failed at once.
        static let stableAfter = Duration.seconds(30)
    }

    private let settings: Settings.Syslog
    private let host: String
    private let directory: String
    private let cursor: String
    private let events: EventLogService
    private let resolve: @Sendable (DomainName) async throws -> [IPv4Address]
    private let clock: any MonotonicClock
    private let logger: Logger
    private var progress = SyslogProgress(sent: 0)
    private var reason: String?
    private var wasReached: Bool?
    private var newest: UInt64 = 0

    /// - Parameters:
    ///   - settings: The server, and who we are there.
    ///   - host: This router's name.
    ///   - stateDirectory: Where the event log is, and where the cursor goes.
    ///   - events: Says how far the log goes, and hears of what can never be sent.
    ///   - resolve: Opens a name's addresses in the firewall before it tells them.
    ///   - clock: For pauses and deadlines.
    ///   - logger: Gets one `notice` when the server is reached or lost.
    package init(
        settings: Settings.Syslog, host: String, stateDirectory: String, events: EventLogService,
        resolve: @escaping @Sendable (DomainName) async throws -> [IPv4Address],
        clock: any MonotonicClock, logger: Logger
    ) {
        self.settings = settings
        self.host = host
        directory = stateDirectory + "/events"
        cursor = stateDirectory + "/syslog-cursor"
        self.events = events
        self.resolve = resolve
        self.clock = clock
        self.logger = logger
    }

    /// Why events do not reach the server, and how many wait; nil: they do.
    package var trouble: String? {
        reason.map { reason in
            let waiting = newest - min(newest, progress.sent)
            return "\(settings.server.host):\(settings.server.port.port): \(reason); "
                + "\(waiting) events wait for it"
        }
    }

    /// Sends until cancelled; a server that cannot be reached is tried again with a growing pause.
    package func run() async throws {
        if let text = try? SmallFile.readText(cursor, bytesMax: 64),
            let known = SyslogProgress(file: text)
        {
            progress = known
        }
        var pause = Backoff(shortest: Limits.pauseMin, longest: Limits.pauseMax)
        var random = SystemRandomNumberGenerator()
        while true {
            let begun = clock.now()
            do {
                try await session()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                newest = await events.newest
                if wasReached != false {
                    wasReached = false
                    logger.notice("syslog server lost", metadata: ["reason": "\(error)"])
                }
                reason = "\(error)"
            }
            if clock.now() - begun >= Limits.stableAfter { pause.reset() }
            try await clock.sleep(until: clock.now() + pause.failed(using: &random))
        }
    }

    private func session() async throws {
        let server = settings.server
        let addresses = try await resolve(server.host)
        guard let address = addresses.randomElement() else {
            throw ConsoleError("\(server.host) has no address")
        }
        let stream = try await TLSStream.open(
            to: .init(address: address, port: server.port.port),
            policy: TLSPolicy(
                host: server.host.description, authority: settings.authority,
                certificate: settings.certificate, key: settings.key),
            until: clock.now() + Limits.connect)
        logger.notice("syslog server reached", metadata: ["address": "\(address)"])
        reason = nil
        wasReached = true
        while true {
            newest = await events.newest
            if progress.isBehind(newest: newest) {
                try await sendBatch(over: stream)
            } else {
                try await stream.idle(until: clock.now() + Limits.look)
            }
        }
    }

    /// Sends what comes next, and notes it once the server's host has confirmed it.
    private func sendBatch(over stream: TLSStream) async throws {
        // About a file of the log at a time.
        let lines = try EventFiles.read(directory, after: progress.sent, enough: 1)
        var entries: [EventEntry] = []
        for case .entry(let entry) in lines { entries.append(entry) }
        guard !entries.isEmpty else {
            // What the files should hold cannot be read: pass over it rather than try for ever.
            return try await note(lost: progress.passOver(through: newest))
        }
        for batch in stride(from: 0, to: entries.count, by: Limits.batchMax).map({
            entries[$0..<min($0 + Limits.batchMax, entries.count)]
        }) {
            let deadline = clock.now() + Limits.confirm
            let bytes = batch.flatMap { SyslogMessage.frame($0, host: host) }
            try await stream.write(bytes, until: deadline)
            try await stream.confirmed(until: deadline)
            try await note(lost: progress.delivered(batch.map(\.number)))
        }
    }

    /// How far the server is goes to flash; what it can never have is told, and the telling goes there, too.
    private func note(lost: UInt64) async throws {
        try SmallFile.replace(cursor, with: progress.file)
        guard lost > 0 else { return }
        let words =
            "\(lost) events were given up before the syslog server had them; the log holds "
            + "\(EventLimits.filesMax) files"
        await events.record([Event(.log, words)])
    }
}
