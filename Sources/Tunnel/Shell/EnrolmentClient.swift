import Base
import CCurl
import Linux
import Settings
import Synchronization

/// A key and its certificate, for one session.
struct SessionCredential: Sendable {
    let key: SessionKey
    let certificate: SessionCertificate
    let life: CertificateLife
}

/// Where a session's credential comes from.
protocol Enrolment: Sendable {
    /// Has the key certified.
    func enrol(_ key: SessionKey) async -> Result<SessionCredential, EnrolmentFailure>
}

/// Enrolment over secure transport (EST, RFC 7030 §4.2 `simpleenroll`): the router's own certificate says who asks.
struct EnrolmentClient: Enrolment {
    enum Limits {
        static let connect = Duration.seconds(8)
        /// The whole exchange; below `TunnelSupervisor.Limits.enrolMax`.
        static let exchange = Duration.seconds(15)
    }

    let server: Settings.Enrolment
    let identity: Settings.Identity
    /// Opens the address in the firewall before it tells it.
    let resolve: TunnelService.Resolve
    let clock = SystemClock()

    func enrol(_ key: SessionKey) async -> Result<SessionCredential, EnrolmentFailure> {
        do throws(EnrolmentFailure) {
            return .success(try await certify(key))
        } catch {
            return .failure(error)
        }
    }

    private func certify(_ key: SessionKey) async throws(EnrolmentFailure) -> SessionCredential {
        let host = server.endpoint.host
        let addresses: [IPv4Address]
        do { addresses = try await resolve(host) } catch {
            throw EnrolmentFailure("cannot look up \(host): \(error)")
        }
        guard !addresses.isEmpty else { throw EnrolmentFailure("\(host) has no address") }
        do {
            let request = try key.request(forSubjectOf: identity.certificate)
            let exchange = Exchange(
                url: server.url,
                resolve: "\(host):\(server.endpoint.port.port):"
                    + addresses.map(\.description).joined(separator: ","),
                body: Array(Base64.encode(request).utf8),
                policy: TLSPolicy(
                    host: host.description, authority: identity.authority,
                    certificate: identity.certificate, key: identity.key))
            switch try await exchange.reply().verdict {
            case .failed(let failure): throw failure
            case .issued(let message):
                let certificate = try SessionCertificate(certsOnly: message, for: key)
                let life = try CertificateLife(
                    notBefore: certificate.notBefore, notAfter: certificate.notAfter,
                    now: clock.wall())
                return SessionCredential(key: key, certificate: certificate, life: life)
            }
        } catch let failure as EnrolmentFailure {
            throw failure
        } catch let problem as TLSProblem {
            throw EnrolmentFailure("cannot enrol at \(host): \(problem.why)")
        } catch {
            throw EnrolmentFailure("cannot enrol at \(host): \(error)")
        }
    }
}

/// One request over libcurl, on a thread of its own.
private final class Exchange: Sendable {
    private let url: String
    private let resolve: String
    private let body: [UInt8]
    private let policy: TLSPolicy
    private let isCancelled = Atomic(false)

    init(url: String, resolve: String, body: [UInt8], policy: TLSPolicy) {
        self.url = url
        self.resolve = resolve
        self.body = body
        self.policy = policy
    }

    /// The server's answer; cancelled, it ends within about a second.
    func reply() async throws(EnrolmentFailure) -> EnrolmentReply {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                BlockingThread.start(name: "enrolment") {
                    continuation.resume(returning: self.post())
                }
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
        return try result.get()
    }

    private func post() -> Result<EnrolmentReply, EnrolmentFailure> {
        let connection = Connection(policy: policy, exchange: self)
        let context = Unmanaged.passRetained(connection)
        defer { context.release() }
        var buffer = [UInt8](repeating: 0, count: EnrolmentReply.bodyBytesMax)
        var reply = ccurl_reply()
        let headers = [
            "Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64",
            "Accept: application/pkcs7-mime", "User-Agent: drawbridge", "Expect:",
        ]
        withCStrings([url, resolve, policy.authority] + headers) { strings in
            body.withUnsafeBufferPointer { body in
                buffer.withUnsafeMutableBufferPointer { buffer in
                    reply.body = buffer.baseAddress
                    var request = ccurl_request(
                        url: strings[0], resolve: strings[1], authority: strings[2],
                        headers: strings + 3, body: body.baseAddress, body_size: body.count,
                        reply_max: buffer.count,
                        connect_ms: Int(EnrolmentClient.Limits.connect.milliseconds),
                        total_ms: Int(EnrolmentClient.Limits.exchange.milliseconds),
                        prepare: prepareConnection, is_cancelled: isExchangeCancelled,
                        context: context.toOpaque())
                    ccurl_post(&request, &reply)
                    reply.body = nil
                }
            }
        }
        guard reply.outcome == CCURL_DONE else {
            return .failure(EnrolmentFailure(words(reply, connection)))
        }
        return .success(
            EnrolmentReply(
                status: reply.status, contentType: text(reply.content_type),
                retryAfter: reply.retry_after > 0 ? .seconds(reply.retry_after) : nil,
                body: Array(buffer.prefix(reply.body_size))))
    }

    private func words(_ reply: ccurl_reply, _ connection: Connection) -> String {
        if let problem = connection.problem { return problem.why }
        if let refusal = connection.verdict?.refusal { return "enrolment: \(refusal)" }
        let error = text(reply.error)
        return switch reply.outcome {
        case CCURL_NO_LIBRARY: "cannot enrol: \(error); install libcurl4"
        case CCURL_UNREACHABLE: "nobody answers at the enrolment server's port"
        case CCURL_LATE: "the enrolment server does not answer in time"
        case CCURL_TOO_LONG: "the enrolment server's answer is too long"
        case CCURL_CANCELLED: "enrolment was given up"
        case CCURL_TLS where error.contains("alert"):
            "the enrolment server does not take this router's certificate (\(error))"
        default: "cannot enrol: \(error)"
        }
    }

    /// What libcurl's callbacks are handed, on the thread of the exchange.
    fileprivate final class Connection {
        let policy: TLSPolicy
        let exchange: Exchange
        var verdict: TLSContext.Verdict?
        var problem: TLSProblem?

        init(policy: TLSPolicy, exchange: Exchange) {
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
    let connection = Unmanaged<Exchange.Connection>.fromOpaque(context).takeUnretainedValue()
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
    let connection = Unmanaged<Exchange.Connection>.fromOpaque(context).takeUnretainedValue()
    return connection.exchange.wasCancelled ? 1 : 0
}

/// A C array of characters as text.
private func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
