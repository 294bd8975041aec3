import Base

/// What happens when, in order of time; at the same time, in order of insertion. A binary heap.
struct EventQueue<Event> {
    private struct Entry {
        var time: Instant
        var number: Int
        var event: Event

        func isBefore(_ other: Entry) -> Bool {
            time == other.time ? number < other.number : time < other.time
        }
    }
    private var heap: [Entry] = []
    private var inserted = 0

    mutating func insert(_ event: Event, at time: Instant) {
        heap.append(Entry(time: time, number: inserted, event: event))
        inserted += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next event and its time; nil if there is none before `end`.
    mutating func popFirst(before end: Instant) -> (Instant, Event)? {
        guard let first = heap.first, first.time < end else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            let right = left + 1
            if left < heap.count && heap[left].isBefore(heap[least]) { least = left }
            if right < heap.count && heap[right].isBefore(heap[least]) { least = right }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return (first.time, first.event)
    }
}
