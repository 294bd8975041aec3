package import Base

/// What happens when, in order of time; at the same time, in order of insertion.
///
/// A sorted array, the next one last: there are few, and almost all new ones come soon.
package struct EventQueue<Event> {
    private struct Entry {
        var time: Instant
        var event: Event
    }
    private var entries: [Entry] = []

    package init() {}

    package mutating func insert(_ event: Event, at time: Instant) {
        let entry = Entry(time: time, event: event)
        entries.append(entry)
        var index = entries.count - 1
        while index > 0, !(time < entries[index - 1].time) {
            entries[index] = entries[index - 1]
            index -= 1
        }
        entries[index] = entry
    }

    /// The next event and its time; nil if there is none before `end`.
    package mutating func popFirst(before end: Instant) -> (Instant, Event)? {
        guard let next = entries.last, next.time < end else { return nil }
        entries.removeLast()
        return (next.time, next.event)
    }
}
