import Base

/// Questions for names that are not on the list: by whom, once in ten minutes for each.
extension EventWatch {
    mutating func refusals(_ egress: StatusDocument.Egress, _ time: Instant) -> [Event] {
        let never = (at: time - Self.securityPause, count: UInt64(0))
        var events: [Event] = []
        for asker in egress.askers ?? [] {
            let before = toldAskers[asker.words] ?? never
            guard asker.refused > before.count, time - before.at >= Self.securityPause else {
                continue
            }
            toldAskers[asker.words] = (time, asker.refused)
            let count = asker.refused - before.count
            events.append(
                Event(
                    .security, who: asker.words,
                    "\(Figure.count(count)) question\(count == 1 ? "" : "s") refused for names that "
                        + "are not on the list, last \(asker.lastName)"))
        }
        let before = toldRefusals ?? never
        guard egress.refused > before.count, time - before.at >= Self.securityPause else {
            return events
        }
        toldRefusals = (time, egress.refused)
        // Told with its program already, or too quick for us to see whose it was.
        guard events.isEmpty else { return events }
        let names = egress.refusedNames.joined(separator: ", ")
        return [
            Event(
                .security, who: "a program on the router",
                "\(Figure.count(egress.refused - before.count)) questions refused for names "
                    + "that are not on the list: \(names)")
        ]
    }
}
