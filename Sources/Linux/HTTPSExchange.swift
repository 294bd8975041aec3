package import Base
import CCurl
import Synchronization

/// One HTTPS request over libcurl under our TLS policy, on a thread of its own. No redirect is followed, no proxy used,
/// and nobody is asked for the host's address.
package final class HTTPSExchange: Sendable {
    package enum Method: Sendable { case post, put }

    package struct Request: Sendable {
        package var method = Method.post
        package var url: String
        /// The host, its port, and the addresses that it has.
        package var host: String
        package var port: UInt16
        package var addresses: [IPv4Address]
        /// Whole lines.
        package var headers: [String] = []
        package var body: [UInt8] = []
        package var policy: TLSPolicy
        /// An answer's body that is longer fails.
        package var replyBytesMax = 4096
        package var connectMax: Duration
        /// The whole exchange.
        package var totalMax: Duration
        /// Bytes of the body in a second, on average; nil: as fast as it goes.
        package var bytesPerSecond: Int?

        package init(
            url: String, host: String, port: UInt16, addresses: [IPv4Address], policy: TLSPolicy,
            connectMax: Duration, totalMax: Duration
        ) {
            self.url = url
            self.host = host
            self.port = port
            self.addresses = addresses
            self.policy = policy
            self.connectMax = connectMax
            self.totalMax = totalMax
        }
    }

    package struct Reply: Equatable, Sendable {
        package var status: Int
        package var contentType: String
        /// How long the server asks to wait.
        package var retryAfter: Duration?
        package var body: [UInt8]
    }

    /// Why there is no answer.
    package enum Failure: Error, Equatable, Sendable {
        /// Our own certificate or key cannot be used, or the server's is not to be trusted.
        case distrust(String)
        /// The server does not take our certificate.
        case distrusted(String)
        case noLibrary(String)
        case unreachable
        case late
        case tooLong
        case cancelled
        case other(String)
    }

    private let request: Request
    private let isCancelled = Atomic(false)

    package init(_ request: Request) { self.request = request }

    /// The server's answer; cancelled, it ends within about a second. `name` is its thread's.
    package func reply(onThread name: String) async throws(Failure) -> Reply {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                BlockingThread.start(name: name) {
                    continuation.resume(returning: self.exchange())
                }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
        return try result.get()
    }

    private func exchange() -> Result<Reply, Failure> {
        let connection = Connection(policy: request.policy, exchange: self)
        let context = Unmanaged.passRetained(connection)
        defer { context.release() }
        var buffer = [UInt8](repeating: 0, count: request.replyBytesMax)
        var reply = ccurl_reply()
        let resolve =
            "\(request.host):\(request.port):"
            + request.addresses.map(\.description).joined(separator: ",")
        let headers = request.headers + ["User-Agent: drawbridge", "Expect:"]
        withCStrings([request.url, resolve, request.policy.authority] + headers) { strings in
            request.body.withUnsafeBufferPointer { body in
                buffer.withUnsafeMutableBufferPointer { buffer in
                    reply.body = buffer.baseAddress
                    var order = ccurl_request(
                        url: strings[0], resolve: strings[1], authority: strings[2],
                        headers: strings + 3, is_put: request.method == .put ? 1 : 0,
                        body: body.baseAddress, body_size: body.count, reply_max: buffer.count,
                        connect_ms: Int(request.connectMax.milliseconds),
                        total_ms: Int(request.totalMax.milliseconds),
                        bytes_per_second: request.bytesPerSecond ?? 0,
                        prepare: prepareConnection, is_cancelled: isExchangeCancelled,
                        context: context.toOpaque())
                    ccurl_send(&order, &reply)
                    reply.body = nil
                }
            }
        }
        guard reply.outcome == CCURL_DONE else { return .failure(failure(reply, connection)) }
        return .success(
            Reply(
                status: reply.status, contentType: text(reply.content_type),
                retryAfter: reply.retry_after > 0 ? .seconds(reply.retry_after) : nil,
                body: Array(buffer.prefix(reply.body_size))))
    }

    private func failure(_ reply: ccurl_reply, _ connection: Connection) -> Failure {
        if let problem = connection.problem { return .distrust(problem.why) }
        if let refusal = connection.verdict?.refusal { return .distrust(refusal) }
        let error = text(reply.error)
        return switch reply.outcome {
        case CCURL_NO_LIBRARY: .noLibrary(error)
        case CCURL_UNREACHABLE: .unreachable
        case CCURL_LATE: .late
        case CCURL_TOO_LONG: .tooLong
        case CCURL_CANCELLED: .cancelled
        // TLS 1.3 tells a certificate that is refused only after the request was sent.
        case CCURL_TLS where error.contains("alert"): .distrusted(error)
        default: .other(error)
        }
    }

    /// What libcurl's callbacks are handed, on the thread of the exchange.
    fileprivate final class Connection {
        let policy: TLSPolicy
        let exchange: HTTPSExchange
        var verdict: TLSContext.Verdict?
        var problem: TLSProblem?

        init(policy: TLSPolicy, exchange: HTTPSExchange) {
            self.policy = policy
            self.exchange = exchange
        }
    }

    fileprivate var wasCancelled: Bool { isCancelled.load(ordering: .relaxed) }
}

// File-level functions: a closure written in an isolated context would trap on a foreign thread.

private func prepareConnection(
    _ tls: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let tls, let context else { return 1 }
    let connection = Unmanaged<HTTPSExchange.Connection>.fromOpaque(context).takeUnretainedValue()
    do throws(TLSProblem) {
        connection.verdict = try TLSContext.impose(connection.policy, on: tls)
        return 0
    } catch {
        connection.problem = error
        return 1
    }
}

private func isExchangeCancelled(_ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context else { return 1 }
    let connection = Unmanaged<HTTPSExchange.Connection>.fromOpaque(context).takeUnretainedValue()
    return connection.exchange.wasCancelled ? 1 : 0
}

/// A C array of characters as text.
private func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
