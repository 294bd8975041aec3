package import Base
package import Logging

/// Delivers the ring's sealed blocks as they are stored, one after the other, each until the server has it.
///
///     look ──▶ a block ──▶ send ──▶ 2xx: the cursor goes on, look
///      ▲                    └─────▶ anything else: a pause at random, the same block again
///      └── every `lookEvery`
///
/// It reads the ring and waits for the server; nobody waits for it.
package actor BulkService {
    package struct Limits: Sendable {
        /// Blocks are sealed every few minutes.
        package var lookEvery = Duration.seconds(5)
        /// While no uplink carries.
        package var waitForUplink = Duration.seconds(1)
        package var pauseShortest = Duration.seconds(1)
        package var pauseLongest = Duration.seconds(300)

        package init() {}
    }

    private let host: String
    private let blocks: any BlockSource
    private let carrier: any BlockCarrier
    private let budget: @Sendable () -> Int?
    private let clock: any MonotonicClock
    private let logger: Logger
    private let limits: Limits
    package private(set) var status = BulkStatus()

    /// `budget`: bytes a second that old data may take of the uplink that carries; nil: none does.
    package init(
        host: String, blocks: any BlockSource, carrier: any BlockCarrier,
        budget: @escaping @Sendable () -> Int?, clock: any MonotonicClock, logger: Logger,
        limits: Limits = Limits()
    ) {
        self.host = host
        self.blocks = blocks
        self.carrier = carrier
        self.budget = budget
        self.clock = clock
        self.logger = logger
        self.limits = limits
    }

    /// What is wrong, in words; nil while all is well.
    package var trouble: String? { status.trouble.map { "\(host) \($0)" } }

    /// Runs until cancelled.
    package func run() async throws {
        var pause = ReconnectPause(
            shortest: limits.pauseShortest, spread: limits.pauseShortest,
            longest: limits.pauseLongest)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            guard let budget = budget() else {
                try await clock.sleep(until: clock.now() + limits.waitForUplink)
                continue
            }
            guard let block = await nextBlock() else {
                try await clock.sleep(until: clock.now() + limits.lookEvery)
                continue
            }
            let reply = await carrier.send(block, budget: budget)
            try Task.checkCancellation()
            switch reply {
            case .delivered:
                do {
                    try await blocks.blockDelivered(block)
                    pause.reset()
                    note(block)
                } catch {
                    note(failure: "has a block that the ring cannot mark: \(error)")
                    try await clock.sleep(until: clock.now() + limits.lookEvery)
                }
            case .failed(let why, let after):
                note(failure: why)
                let wait = pause.failed(lostSession: false, using: &generator)
                try await clock.sleep(until: clock.now() + max(wait, after ?? .zero))
            }
        }
    }

    private func nextBlock() async -> StoredBlock? {
        do {
            let block = try await blocks.nextBlock()
            // What could not be delivered is there no more.
            if block == nil { status.trouble = nil }
            return block
        } catch {
            note(failure: "gets nothing: \(error)")
            return nil
        }
    }

    private func note(_ block: StoredBlock) {
        status.blocks += 1
        status.records += UInt64(block.records)
        status.bytes += UInt64(block.bytes.count)
        guard status.trouble != nil else { return }
        status.trouble = nil
        logger.notice("blocks are delivered again", metadata: ["server": "\(host)"])
    }

    private func note(failure why: String) {
        guard status.trouble != why else { return }
        status.trouble = why
        logger.notice(
            "blocks are not delivered", metadata: ["server": "\(host)", "reason": "\(why)"])
    }
}
