import Base
import Linux

/// Begins an MQTT session over one uplink, with our own certificate and under a name of its own, and ends it at once.
struct SessionProbe: Sendable {
    let plan: DrillPlan
    let clock: any MonotonicClock

    func run(
        _ broker: IPv4Address, over interface: String, from source: IPv4Address
    ) async -> DoctorFindings.Greeting {
        let begun = clock.now()
        let deadline = begun + DoctorService.patience * 2
        let doctor = plan.doctor
        do {
            let stream = try await TLSStream.open(
                to: .init(address: broker, port: doctor.brokerPort),
                policy: TLSPolicy(
                    host: "\(doctor.brokerHost)", authority: doctor.authority,
                    certificate: plan.certificate, key: plan.key, pins: plan.pins),
                over: (interface, source), until: deadline)
            let number = UInt32.random(in: .min ... .max)
            try await stream.write(
                MQTTGreeting(name: "drill-\(String(number, radix: 16))").bytes, until: deadline)
            var answer: [UInt8] = []
            while answer.count < MQTTGreeting.answerBytes {
                answer += try await stream.read(
                    atMost: MQTTGreeting.answerBytes - answer.count, until: deadline)
            }
            let took = clock.now() - begun
            // Whether the farewell arrives is of no account: nothing is kept for this name.
            try? await stream.write(MQTTGreeting.farewell, until: deadline)
            return .answered(MQTTGreeting.answer(answer), after: took)
        } catch {
            return .failed(ServerProbe.words(error))
        }
    }
}
