import Base
import Linux

/// The switch wins: remote access, and the key that cuts it.
extension Story {
    /// The technician at home reads the PLC through the VPN, and only there.
    package func remoteUserReads() async throws -> [Promise] {
        tell(.chapter("A technician at home reads the PLC through the VPN"))
        try await waitUntil("the VPN is connected") { $0.isTunnelConnected }
        var value: Double?
        try await site.waitUntil(within: Self.patience, "the PLC answers through the VPN") {
            value = try? await site.readMachine(from: .remote)
            return value != nil
        }
        tell(.seen("the oven has \(Int((value ?? 0).rounded())) °C"))
        let stranger = (try? await site.readMachine(from: .office)) != nil
        return [
            put(
                "the VPN user reaches the PLC, nobody else",
                "VPN: reads; office: \(stranger ? "reads too" : "nothing")",
                isKept: value != nil && !stranger)
        ]
    }

    /// The key turns off while 1000 packets a second pass.
    package func keyTurnsOff() async throws -> [Promise] {
        tell(.chapter("The key switch is turned off, with 1,000 packets a second in the VPN"))
        let flow = try await site.startFlow()
        try await site.waitUntil(within: Self.patience, "packets pass to the machine") {
            try flow.report().arrivals.count > 300
        }
        let turned = try await site.turnSwitch(.off)
        tell(.done("key off"))
        let state = try await waitUntil("the VPN client is stopped") { $0.isTunnelStopped }
        let stopped = clock.now() - turned
        try await Task.sleep(for: .milliseconds(700))
        let report = try await flow.stop()
        let late = report.arrivals.last.map { max(.zero, $0.arrived - turned) } ?? Self.patience
        let after = late > .zero ? "\(Figure.time(late)) after the key" : "before the key"
        let wentOn = report.lastSent.map { $0 - turned > .milliseconds(500) } ?? false
        let reads = (try? await site.readMachine(from: .remote)) != nil
        tell(
            .seen(
                "the last packet passed \(after); the VPN client is stopped after \(Figure.time(stopped))"
            ))
        return [
            put(
                "the key cuts the VPN in milliseconds",
                "last of \(Figure.count(report.arrivals.count)) packets \(after)",
                isKept: late < .milliseconds(100) && wentOn && !reads && !state.isGateOpen)
        ]
    }

    /// The key turns on again.
    package func keyTurnsOn() async throws -> [Promise] {
        tell(.chapter("The key switch is turned on again"))
        let turned = try await site.turnSwitch(.on)
        tell(.done("key on"))
        try await site.waitUntil(within: Self.patience, "the PLC answers through the VPN again") {
            (try? await site.readMachine(from: .remote, timeout: .milliseconds(500))) != nil
        }
        let back = clock.now() - turned
        tell(.seen("the technician reads the PLC again after \(Figure.time(back))"))
        return [
            put(
                "the key on: remote access comes back", "after \(Figure.time(back))",
                isKept: back < .seconds(15))
        ]
    }
}
