import Base
import Cloud

/// The ring as an array, with a cursor; it can hold its records back.
actor ArrayRing: RecordSource {
    private var records: [Record] = []
    private var acknowledged: UInt64
    private var isHeld = false

    init(cursor: UInt64 = 0) {
        acknowledged = cursor
    }

    var last: UInt64 { records.last?.sequence ?? 0 }

    func append(_ more: [Record]) { records += more }

    /// While held, the ring seems to have nothing new.
    func hold(_ hold: Bool) { isHeld = hold }

    func batch(after sequence: UInt64, limit: Int) -> [Record] {
        isHeld ? [] : Array(records.lazy.drop { $0.sequence <= sequence }.prefix(limit))
    }

    func nextBatch(after sequence: UInt64, limit: Int) async throws -> [Record] {
        try await waitForRecords(after: sequence)
        return batch(after: sequence, limit: limit)
    }

    func acknowledge(through sequence: UInt64) {
        precondition(sequence > acknowledged, "the cursor went back")
        acknowledged = sequence
    }

    func waitForRecords(after sequence: UInt64) async throws {
        while isHeld || last <= sequence { try await Task.sleep(for: .milliseconds(2)) }
    }

    func cursor() -> UInt64 { acknowledged }
    func newest() -> UInt64 { last }
    func backlog() -> UInt64 { last - acknowledged }
}
