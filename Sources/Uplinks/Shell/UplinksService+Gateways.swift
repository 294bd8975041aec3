import Base
import Linux
import Logging

// Whose fault it is that an uplink is down: its gateway answers ARP, or it does not.
extension UplinksService {
    /// Before the first question: what follows from the verdict comes first.
    private static let gatewayDelay = Duration.seconds(1)
    /// From an answer to the next question, while the uplink is down.
    private static let gatewayPause = Duration.seconds(10)

    struct GatewayWatch {
        /// By uplink; only of those that are down.
        var answers: [Int: Bool] = [:]
        /// Those that are asked for, or will be in a moment.
        var asked: Set<Int> = []
        /// Those that have just gone down.
        var due: [Int] = []
    }

    /// To be called with each change of its standing.
    func noteGateway(of number: Int, _ standing: UplinkMonitor.Standing) {
        gatewayWatch.answers[number] = nil
        guard standing == .down, gateways != nil, uplinks[number].path?.gateway != nil,
            gatewayWatch.asked.insert(number).inserted
        else { return }
        gatewayWatch.due.append(number)
    }

    /// nil: nobody knows.
    nonisolated func gatewayAnswers(_ number: Int, again: Bool) async throws -> Bool? {
        let pause = again ? Self.gatewayPause : Self.gatewayDelay
        try await clock.sleep(until: clock.now() + pause)
        guard let gateways, let path = await uplinks[number].path, let gateway = path.gateway
        else { return nil }
        do {
            return try await gateways.answers(gateway, over: path)
        } catch let error as SystemError {
            // Race: the interface is gone.
            logger.debug("the gateway is not asked for", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Whether to ask again.
    func gatewayAnswered(_ number: Int, _ answers: Bool?) -> Bool {
        guard uplinks[number].monitor.standing == .down, uplinks[number].path?.gateway != nil
        else {
            gatewayWatch.asked.remove(number)
            return false
        }
        gatewayWatch.answers[number] = answers
        return true
    }

    /// Why it stands as it does; of one that is down, where to look.
    func reason(of number: Int) -> String {
        let reason = uplinks[number].monitor.reason
        guard let answers = gatewayWatch.answers[number],
            let gateway = uplinks[number].path?.gateway
        else { return reason }
        return answers
            ? "\(reason); its gateway \(gateway) answers, the fault lies behind it"
            : "\(reason); its gateway \(gateway) does not answer either: cable, modem or address"
    }
}
