import Base

/// What is wrong, in sentences that say since when.
extension StatusText {
    /// nil: the machine answers.
    package static func trouble(
        _ machine: StatusDocument.Machine, at time: LocalTime
    ) -> String? {
        guard !machine.isConnected else { return nil }
        let absence =
            machine.lastAnswerMilliseconds.map {
                "gone since \(time.text(WallTime(milliseconds: $0)))"
            } ?? "has not answered yet"
        return "machine \(machine.name) \(absence): \(machine.reason)"
    }

    /// nil: names are resolved.
    package static func trouble(_ egress: StatusDocument.Egress, at time: LocalTime) -> String? {
        guard !egress.serversAnswer else { return nil }
        let since =
            egress.serversSilentSeconds.map { " since \(time.text(secondsAgo: $0))" } ?? ""
        return egress.servers.count == 1
            ? "DNS server \(egress.servers[0]) does not answer\(since)"
            : "no DNS server answers\(since): \(egress.servers.joined(separator: ", "))"
    }
}
