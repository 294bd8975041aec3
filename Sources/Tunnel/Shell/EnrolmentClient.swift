import Base
import Linux
import Settings

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
            var request = HTTPSExchange.Request(
                url: server.url, host: host.description, port: server.endpoint.port.port,
                addresses: addresses,
                policy: TLSPolicy(
                    host: host.description, authority: identity.authority,
                    certificate: identity.certificate, key: identity.key),
                connectMax: Limits.connect, totalMax: Limits.exchange)
            request.headers = [
                "Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64",
                "Accept: application/pkcs7-mime",
            ]
            request.body = Array(
                Base64.encode(try key.request(forSubjectOf: identity.certificate)).utf8)
            request.replyBytesMax = EnrolmentReply.bodyBytesMax
            switch try await reply(to: request).verdict {
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

    private func reply(
        to request: HTTPSExchange.Request
    ) async throws(EnrolmentFailure) -> EnrolmentReply {
        do throws(HTTPSExchange.Failure) {
            let reply = try await HTTPSExchange(request).reply(onThread: "enrolment")
            return EnrolmentReply(
                status: reply.status, contentType: reply.contentType, retryAfter: reply.retryAfter,
                body: reply.body)
        } catch {
            throw EnrolmentFailure(words(error))
        }
    }

    private func words(_ failure: HTTPSExchange.Failure) -> String {
        switch failure {
        case .distrust(let why): "enrolment: \(why)"
        case .distrusted(let error):
            "the enrolment server does not take this router's certificate (\(error))"
        case .noLibrary(let error): "cannot enrol: \(error); install libcurl4"
        case .unreachable: "nobody answers at the enrolment server's port"
        case .late: "the enrolment server does not answer in time"
        case .tooLong: "the enrolment server's answer is too long"
        case .cancelled: "enrolment was given up"
        case .other(let error): "cannot enrol: \(error)"
        }
    }
}
