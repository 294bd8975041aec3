extension EventWatch {
    /// What became of the config file.
    func configuration(_ last: StatusDocument, _ now: StatusDocument) -> [Event] {
        let (before, config) = (last.configuration, now.configuration)
        var events: [Event] = []
        if before.trialSeconds == nil, let seconds = config.trialSeconds {
            events.append(
                Event(.config, who: "config file", "a change is on trial for \(seconds) s"))
        }
        if let number = config.number, let old = before.number, number != old {
            events.append(Event(.config, who: "config file", "config \(number) is in force"))
        }
        if let first = config.refused.first, first != before.refused.first {
            events.append(Event(.config, who: "config file", "refused: \(first)"))
        }
        return events
    }
}
