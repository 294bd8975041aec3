package import Base

/// What an enrolment server answered to `simpleenroll` (RFC 7030 §4.2.3), as HTTP has it.
package struct EnrolmentReply: Equatable, Sendable {
    package enum Verdict: Equatable, Sendable {
        /// The certificate, as a "certs-only" message in DER.
        case issued([UInt8])
        /// There is none.
        case failed(EnrolmentFailure)
    }

    package static let bodyBytesMax = 32 * 1024

    package var status: Int
    package var contentType: String
    /// `Retry-After`, if the server says it.
    package var retryAfter: Duration?
    package var body: [UInt8]

    package init(
        status: Int, contentType: String = "", retryAfter: Duration? = nil, body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.retryAfter = retryAfter
        self.body = body
    }

    package var verdict: Verdict {
        switch status {
        case 200: certificate
        case 202:
            .failed(
                EnrolmentFailure(
                    "the enrolment server has not decided yet (202)",
                    retryAfter: retryAfter ?? EnrolmentFailure.pendingWait, isPending: true))
        case 401, 403:
            .failed(
                EnrolmentFailure(
                    "the enrolment server refuses this router (\(status)): "
                        + "the cloud does not allow it remote access, or does not know its certificate",
                    retryAfter: retryAfter))
        case 404:
            .failed(
                EnrolmentFailure(
                    "nobody enrols at this address (404): is vpn.enrol right?",
                    retryAfter: retryAfter))
        case 429, 503:
            .failed(
                EnrolmentFailure(
                    "the enrolment server is busy (\(status))", retryAfter: retryAfter))
        case 300..<400:
            .failed(
                EnrolmentFailure(
                    "the enrolment server sends us elsewhere (\(status)), where we do not go"))
        case 500..<600:
            .failed(
                EnrolmentFailure(
                    "the enrolment server has a fault (\(status))", retryAfter: retryAfter))
        default:
            .failed(
                EnrolmentFailure("the enrolment server does not take our request (\(status))"))
        }
    }

    private var certificate: Verdict {
        let type = contentType.split(separator: ";").first.map { $0.lowercased() } ?? ""
        guard type.filter({ $0 != " " }) == "application/pkcs7-mime" else {
            return .failed(
                EnrolmentFailure(
                    "the enrolment server answers with something else than a certificate"))
        }
        let text = body.lazy.filter { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
        guard body.count <= Self.bodyBytesMax, let message = Base64.decode(text), !message.isEmpty
        else {
            return .failed(EnrolmentFailure("the enrolment server's answer is no Base64"))
        }
        return .issued(message)
    }
}

/// Why there is no credential for a session.
package struct EnrolmentFailure: Error, Equatable, Sendable {
    /// What a server without another opinion gets when it has not decided.
    package static let pendingWait = Duration.seconds(30)
    /// What a server may ask for at most.
    package static let waitMax = Duration.seconds(600)

    /// In words, for people.
    package var reason: String
    /// How long to leave the server alone, at least.
    package var retryAfter: Duration?
    /// The server has the request and wants to see the same one again.
    package var isPending: Bool

    package init(_ reason: String, retryAfter: Duration? = nil, isPending: Bool = false) {
        self.reason = reason
        self.retryAfter = retryAfter.map { min(max($0, .seconds(1)), Self.waitMax) }
        self.isPending = isPending
    }
}

/// How long a certificate serves a session.
package struct CertificateLife: Equatable, Sendable {
    /// A certificate that ends sooner is of no use.
    package static let shortest = Duration.seconds(10)

    /// From now to its end.
    package let rest: Duration

    /// Throws when it is not valid now, by our clock.
    package init(
        notBefore: WallTime, notAfter: WallTime, now: WallTime
    ) throws(EnrolmentFailure) {
        guard now >= notBefore else {
            throw EnrolmentFailure(
                "the certificate for this session is not valid yet (is our clock right?)")
        }
        rest = .milliseconds(notAfter.milliseconds - now.milliseconds)
        guard rest >= Self.shortest else {
            throw EnrolmentFailure(
                rest < .zero
                    ? "the certificate for this session has ended already (is our clock right?)"
                    : "the certificate for this session ends too soon")
        }
    }
}
