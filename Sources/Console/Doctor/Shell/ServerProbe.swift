import Base
import CTLS
import Glibc
import Linux

/// Tries one server over one interface: TCP, and TLS up to the certificate that it shows.
struct ServerProbe: Sendable {
    /// The name that the certificate must have.
    let host: String
    let address: IPv4Address
    let port: UInt16
    /// The authority of the certificate, a path; nil: it speaks no TLS.
    let authority: String?
    let interface: String
    /// `0.0.0.0`: the kernel takes the interface's own.
    let source: IPv4Address

    func run() async -> (DoctorFindings.Answer, DoctorFindings.TLS?) {
        do {
            let socket = try BoundSocket(
                SOCK_STREAM, to: .init(address: address, port: port), over: interface,
                source: source)
            try await socket.connected(to: "\(address)", until: Self.deadline())
            guard let authority else { return (.works(""), nil) }
            return (.works(""), await handshake(socket.descriptor, authority))
        } catch {
            return (.fails(Self.words(error)), nil)
        }
    }

    /// The certificate that the other side shows.
    private func handshake(_ raw: Int32, _ authority: String) async -> DoctorFindings.TLS {
        guard let tls = ctls_begin(raw, host, authority) else {
            return .failed("\(authority) holds no usable PEM certificate")
        }
        defer { ctls_end(tls) }
        let end = Self.deadline()
        var report = ctls_report()
        while true {
            let step = ctls_step(tls)
            ctls_report(tls, &report)
            // The server may end the handshake, since we show no certificate: we have seen its own.
            if step == 0 || report.has_certificate != 0 { break }
            guard step > 0 else { return .failed(Self.text(report.error)) }
            let ready = try? await Reactor.shared.wait(
                for: step == 1 ? .readable : .writable, on: raw, until: end)
            guard ready == .ready else { return .failed("no answer to the greeting") }
        }
        var certificate = DoctorFindings.Certificate()
        certificate.subject = Self.text(report.subject)
        certificate.issuer = Self.text(report.issuer)
        if report.verify_code != 0 {
            certificate.trust =
                ctls_is_foreign(report.verify_code) != 0
                ? .foreign
                : ctls_is_untimely(report.verify_code) != 0
                    ? .untimely : .other(Self.text(report.verify_words))
        }
        return .shown(certificate)
    }

    static func deadline() -> Instant { SystemClock().now() + DoctorService.patience }

    /// A C array of characters, up to its zero.
    private static func text<T>(_ array: T) -> String {
        withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    static func words(_ error: any Error) -> String {
        guard let error = error as? SystemError else { return "\(error)" }
        switch error.code {
        case ETIMEDOUT: return "no answer within \(DurationText.format(DoctorService.patience))"
        case EPERM: return "our own firewall forbids it"
        default: return String(cString: strerror(error.code)).lowercased()
        }
    }
}
