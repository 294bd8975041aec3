import Base

extension StatusText {
    /// What others did to the rules.
    static func foreign(_ firewall: StatusDocument.Firewall) -> [(String, [Piece])] {
        guard let count = firewall.foreignChanges, count > 0 else { return [] }
        let text = "changed by somebody else and put back: \(Figure.count(count)) times"
        return [("", [Piece(text, .bad)])]
    }

    /// Most exceptions that are shown one by one; `--json` has all.
    private static let exceptionsMax = 8

    static func exceptions(
        _ exceptions: [StatusDocument.Firewall.Exception]
    ) -> [(String, [Piece])] {
        let shown = exceptions.prefix(exceptionsMax).map { exception in
            let last =
                exception.lastSecondsAgo.map { ", last \(Figure.age(seconds: $0)) ago" } ?? ""
            let use =
                exception.isOver
                ? "its time is over"
                : exception.packets == 0
                    ? "unused" : "\(Figure.count(exception.packets)) packets\(last)"
            return ("", [Piece("open: \(exception.words) (\(exception.comment)): \(use)")])
        }
        let rest = exceptions.count - shown.count
        return shown
            + (rest > 0 ? [("", [Piece("and \(Figure.count(rest)) more exceptions")])] : [])
    }
}
