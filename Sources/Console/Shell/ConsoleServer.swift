import Base
import Linux
package import Logging
import Synchronization

/// Answers the command line on a unix socket: one request, one reply, then the connection ends.
package final class ConsoleServer: Sendable {
    private let path: String
    private let handler: @Sendable (ConsoleRequest) async -> ConsoleReply
    private let logger: Logger
    private let connections = Atomic<Int>(0)

    package init(
        path: String, handler: @escaping @Sendable (ConsoleRequest) async -> ConsoleReply,
        logger: Logger
    ) {
        self.path = path
        self.handler = handler
        self.logger = logger
    }

    /// Listens until cancelled; throws when the socket cannot be made.
    package func run() async throws {
        let listener = try UnixListener(path)
        logger.notice("console listening", metadata: ["path": "\(path)"])
        await listener.serve(
            failed: { logger.warning("console cannot accept", metadata: ["error": "\($0)"]) }
        ) { await self.serve($0) }
    }

    private func serve(_ caller: UnixStream) async {
        let count = connections.add(1, ordering: .relaxed).newValue
        defer { connections.subtract(1, ordering: .relaxed) }
        // So many more are told; whoever comes then is only cut off.
        guard count <= ConsoleLimits.connectionsMax * 2 else { return }
        do {
            // Read also when it is not answered: a close with unread bytes would take our words along.
            let request = try await request(of: caller)
            let reply =
                count > ConsoleLimits.connectionsMax
                ? ConsoleReply(
                    error: "too many connections, at most \(ConsoleLimits.connectionsMax)")
                : await reply(to: request)
            try await send(reply, to: caller)
        } catch {
            // The caller left, or took too long: that is its own affair.
            logger.debug("console caller gone", metadata: ["error": "\(error)"])
        }
    }

    /// nil: it could not be understood.
    private func request(of caller: UnixStream) async throws -> ConsoleRequest? {
        let deadline = SystemClock().now() + ConsoleLimits.patience
        do {
            let line = try await caller.readLine(
                bytesMax: ConsoleLimits.requestBytesMax, until: deadline)
            var request = try? ConsoleJSON.decode(ConsoleRequest.self, from: line)
            request?.userID = caller.peerUserID()
            return request
        } catch UnixStream.Trouble.tooLong {
            return nil
        }
    }

    private func reply(to request: ConsoleRequest?) async -> ConsoleReply {
        guard let request else {
            return ConsoleReply(
                error: "a request is one line of JSON such as {\"command\":\"status\"}, "
                    + "at most \(ConsoleLimits.requestBytesMax) bytes")
        }
        return await handler(request)
    }

    private func send(_ reply: ConsoleReply, to caller: UnixStream) async throws {
        var bytes = try ConsoleJSON.encode(reply)
        if bytes.count >= ConsoleLimits.replyBytesMax {
            bytes = try ConsoleJSON.encode(ConsoleReply(error: "the reply is too long"))
        }
        try await caller.write(
            bytes + [10], until: SystemClock().now() + ConsoleLimits.patience)
    }
}
