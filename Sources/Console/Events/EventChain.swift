/// Checks that a log is whole: each entry's hash, its number, and its tie to the entry before.
package struct EventChain: Equatable, Sendable {
    /// The first entry that was seen, and the last one.
    package private(set) var first: EventEntry?
    package private(set) var last: EventEntry?
    package private(set) var count = 0

    package init() {}

    /// Says what is wrong with the next entry; nil: it follows.
    package mutating func follow(_ entry: EventEntry) -> String? {
        let digest = (try? entry.digest()) ?? ""
        guard entry.hash == digest else {
            return "entry \(entry.number) was changed: its hash does not fit its content"
        }
        if let last {
            guard entry.number == last.number + 1 else {
                return last.number < entry.number
                    ? "entries \(last.number + 1) to \(entry.number - 1) are missing"
                    : "entry \(entry.number) stands after entry \(last.number)"
            }
            guard entry.previous == last.hash else {
                return "entry \(entry.number) does not follow entry \(last.number): "
                    + "one of them was exchanged"
            }
        } else {
            first = entry
        }
        last = entry
        count += 1
        return nil
    }
}
