/// Signs of an attack: each is told when it begins and when it ends.
extension EventWatch {
    /// Most of what was refused that one event names.
    private static let sampleMax = 3

    func signs(
        _ last: StatusDocument.Firewall, _ now: StatusDocument.Firewall
    ) -> [Event] {
        let (old, new) = (last.signs ?? [], now.signs ?? [])
        func isIn(_ signs: [StatusDocument.Firewall.Sign], _ sign: StatusDocument.Firewall.Sign)
            -> Bool
        {
            signs.contains { $0.zone == sign.zone && $0.measure == sign.measure }
        }
        let begun = new.filter { !isIn(old, $0) }.map { sign in
            // Of connections it is not known whether they were refused.
            let sample =
                sign.measure == "drops"
                ? Self.sample(
                    now,
                    of: (now.refused ?? []).map(\.counter).filter { Self.zone($0) == sign.zone })
                : ""
            return Event(
                .security, who: Self.sender(sign),
                "sign of an attack: \(StatusText.words(sign))\(sample)")
        }
        let over = old.filter { !isIn(new, $0) }.map { sign in
            Event(
                .security, who: Self.sender(sign),
                "sign of an attack is over after \(Figure.age(seconds: sign.sinceSeconds)): "
                    + StatusText.summary(sign))
        }
        return begun + over
    }

    /// Some of what was refused lately, with its number; empty if nothing of it is known.
    static func sample(_ firewall: StatusDocument.Firewall, of counters: [String]) -> String {
        let noted = (firewall.refused ?? []).filter { counters.contains($0.counter) }
        guard !noted.isEmpty else { return "" }
        let some = noted.prefix(sampleMax).map { "\($0.words) (\(Figure.count($0.packets)))" }
        let more = noted.count > sampleMax ? " and others" : ""
        return "; lately " + some.joined(separator: "; ") + more
    }

    private static func sender(_ sign: StatusDocument.Firewall.Sign) -> String {
        sign.measure == "conntrack" ? "unknown" : StatusText.sender(sign.zone)
    }

    private static func zone(_ counter: String) -> String {
        counter == "egress" ? "router" : String(counter.prefix { $0 != "_" })
    }
}
