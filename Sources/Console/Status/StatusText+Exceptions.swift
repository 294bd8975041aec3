import Base

extension StatusText {
    /// What others did to the rules.
    static func foreign(_ firewall: StatusDocument.Firewall) -> [Piece] {
        guard let count = firewall.foreignChanges, count > 0 else { return [] }
        let times = count == 1 ? "once" : "\(Figure.count(count)) times"
        return [Piece(", changed by others \(times)", .bad)]
    }

    static func exceptions(_ exceptions: [StatusDocument.Firewall.Exception]) -> [[Piece]] {
        exceptions.map { exception in
            let last =
                exception.lastSecondsAgo.map { ", last \(Figure.age(seconds: $0)) ago" } ?? ""
            let use =
                exception.isOver
                ? "its time is over"
                : exception.packets == 0
                    ? "unused" : "\(Figure.count(exception.packets)) packets\(last)"
            // First: a long line is cut.
            let state =
                exception.isOver || !(exception.isClosed ?? false)
                ? "open"
                : exception.opensSeconds.map { "closed, opens in \(Figure.age(seconds: $0))" }
                    ?? "closed, its hours are over or the clock is wrong"
            return [Piece("\(state): \(exception.words) (\(exception.comment)): \(use)")]
        }
    }
}
