import Base
import Linux
package import Logging
import Synchronization

/// Takes what other programs of the router push, line by line, and answers each line once it is on flash.
///
/// One answer a line, in order: `ok`, or `error: ` and why. Empty lines and comments have none. A program that sees no
/// answer sends again: then a line may be recorded twice, but none is lost.
package final class PushService: Sendable {
    private let path: String
    private let conversation: PushConversation
    private let logger: Logger
    private let callers = Atomic<Int>(0)

    /// - Parameters:
    ///   - path: The unix socket.
    ///   - conversation: What is done with their lines.
    ///   - logger: Hears where it listens, and what cannot be accepted.
    package init(path: String, conversation: PushConversation, logger: Logger) {
        self.path = path
        self.conversation = conversation
        self.logger = logger
    }

    /// Listens until cancelled; throws when the socket cannot be made.
    package func run() async throws {
        let listener = try UnixListener(path)
        logger.notice("push listening", metadata: ["path": "\(path)"])
        await listener.serve(
            failed: { logger.warning("push cannot accept", metadata: ["error": "\($0)"]) }
        ) { await self.serve($0) }
    }

    private func serve(_ caller: UnixStream) async {
        let count = callers.add(1, ordering: .relaxed).newValue
        defer { callers.subtract(1, ordering: .relaxed) }
        do {
            guard count <= Limits.pushConnectionsMax else {
                return try await conversation.answer(
                    "error: too many programs, at most \(Limits.pushConnectionsMax)\n", caller)
            }
            try await conversation.go(on: caller, as: nil)
        } catch {
            // It left, or takes no answers: that is its own affair.
            logger.debug("push caller gone", metadata: ["error": "\(error)"])
        }
    }
}
