import Base
import CTLS
import Glibc
import Linux

/// Tries one uplink, from its link to the broker's certificate.
struct UplinkProbe: Sendable {
    let plan: DoctorPlan
    let uplink: DoctorPlan.Uplink
    let broker: IPv4Address?

    private static let datagramBytesMax = 4096

    func run() async -> DoctorFindings.Uplink {
        var found = DoctorFindings.Uplink(plan: uplink)
        found.exists = InterfaceFacts.exists(uplink.interface)
        found.hasCarrier = InterfaceFacts.hasCarrier(uplink.interface)
        found.hardwareAddress = InterfaceFacts.hardwareAddress(uplink.interface)
        guard found.hasCarrier == true, let source = uplink.address, let gateway = uplink.gateway
        else { return found }
        for server in plan.nameServers {
            let answer = await ask(server, from: source)
            found.names.append((server, answer))
            if case .works = answer { break }
        }
        if let broker { (found.connection, found.tls) = await connect(to: broker, from: source) }
        // What was sent above made the kernel look for the gateway.
        found.gatewayAnswers = InterfaceFacts.neighbourAnswers(gateway, on: uplink.interface)
        return found
    }

    private func ask(_ server: IPv4Address, from source: IPv4Address) async -> DoctorFindings.Answer
    {
        let question = NameQuestion(
            name: "\(plan.brokerHost)", identifier: .random(in: 0...UInt16.max))
        do {
            let socket = try BoundSocket(
                SOCK_DGRAM, to: .init(address: server, port: 53), over: uplink.interface,
                source: source)
            let answer = try await socket.exchange(
                question.bytes, bytesMax: Self.datagramBytesMax, until: deadline())
            return question.flaw(in: answer).map { .fails($0) } ?? .works("")
        } catch {
            return .fails(Self.words(error))
        }
    }

    private func connect(
        to address: IPv4Address, from source: IPv4Address
    ) async -> (DoctorFindings.Answer, DoctorFindings.TLS?) {
        do {
            let socket = try BoundSocket(
                SOCK_STREAM, to: .init(address: address, port: plan.brokerPort),
                over: uplink.interface, source: source)
            try await socket.connected(to: "\(address)", until: deadline())
            return (.works(""), await handshake(socket.descriptor))
        } catch {
            return (.fails(Self.words(error)), nil)
        }
    }

    /// The certificate that the other side shows.
    private func handshake(_ raw: Int32) async -> DoctorFindings.TLS {
        guard let tls = ctls_begin(raw, "\(plan.brokerHost)", plan.authority) else {
            return .failed("\(plan.authority) holds no usable PEM certificate")
        }
        defer { ctls_end(tls) }
        let end = deadline()
        var report = ctls_report()
        while true {
            let step = ctls_step(tls)
            ctls_report(tls, &report)
            // The broker may end the handshake, since we show no certificate: we have seen its own.
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

    private func deadline() -> Instant { SystemClock().now() + DoctorService.patience }

    /// A C array of characters, up to its zero.
    private static func text<T>(_ array: T) -> String {
        withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func words(_ error: any Error) -> String {
        guard let error = error as? SystemError else { return "\(error)" }
        switch error.code {
        case ETIMEDOUT: return "no answer within \(DurationText.format(DoctorService.patience))"
        case EPERM: return "our own firewall forbids it"
        default: return String(cString: strerror(error.code)).lowercased()
        }
    }
}
