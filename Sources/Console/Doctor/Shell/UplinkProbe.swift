import Base
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
        if let broker {
            let server = ServerProbe(
                host: "\(plan.brokerHost)", address: broker, port: plan.brokerPort,
                authority: plan.authority, interface: uplink.interface, source: source)
            (found.connection, found.tls) = await server.run()
        }
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
                question.bytes, bytesMax: Self.datagramBytesMax, until: ServerProbe.deadline())
            return question.flaw(in: answer).map { .fails($0) } ?? .works("")
        } catch {
            return .fails(ServerProbe.words(error))
        }
    }
}
