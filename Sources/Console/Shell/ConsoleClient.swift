import Base
import Glibc
import Linux

/// Why the command line got no answer, and what to do about it.
package struct ConsoleError: Error, Equatable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// The command line's side of the control socket.
package struct ConsoleClient: Sendable {
    private let path: String

    package init(path: String) {
        self.path = path
    }

    /// Asks, and returns the answer; throws `ConsoleError` also when the answer is an error.
    package func send(
        _ request: ConsoleRequest, timeout: Duration = ConsoleLimits.patience
    ) async throws -> ConsoleReply {
        let stream = try connected()
        let deadline = SystemClock().now() + timeout
        let line: [UInt8]
        do {
            try await stream.write(try ConsoleJSON.encode(request) + [10], until: deadline)
            line = try await stream.readLine(
                bytesMax: ConsoleLimits.replyBytesMax, until: deadline)
        } catch let trouble as UnixStream.Trouble {
            throw ConsoleError("the daemon at \(path) " + Self.words(trouble, timeout))
        }
        guard let reply = try? ConsoleJSON.decode(ConsoleReply.self, from: line),
            reply.status.map({ $0.version == StatusDocument.currentVersion }) ?? true
        else {
            throw ConsoleError(
                "the daemon at \(path) speaks another version: restart it after an update")
        }
        if let error = reply.error { throw ConsoleError(error) }
        return reply
    }

    private func connected() throws -> UnixStream {
        do throws(SystemError) {
            return try UnixStream(connectingTo: path)
        } catch {
            throw ConsoleError(words(error))
        }
    }

    private static func words(_ trouble: UnixStream.Trouble, _ timeout: Duration) -> String {
        switch trouble {
        case .timedOut:
            "did not answer within \(DurationText.format(timeout)): does it hang? "
                + "See journalctl -u drawbridge"
        case .tooLong: "gave an answer that is too long"
        case .closed: "closed the connection: is it stopping?"
        }
    }

    private func words(_ error: SystemError) -> String {
        switch error.code {
        case ENOENT, ECONNREFUSED, ENOTDIR:
            "no daemon is listening at \(path): is it running?"
        case EACCES, EPERM:
            "permission denied at \(path): run this as root or as a member of the socket's group"
        case EAGAIN: "the daemon at \(path) is too busy to answer: try again"
        default: error.description
        }
    }
}
