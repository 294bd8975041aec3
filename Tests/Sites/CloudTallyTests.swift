import Base
import Testing

@testable import Site

@Suite("What the cloud has counted")
struct CloudTallyTests {
    private var tally = CloudTally()
    private let now = Instant(nanoseconds: 5)

    init() {
        tally.received(
            topic: "spBv1.0/drawbridge/DBIRTH/press-line-4/plc-1",
            payload: SparkplugBytes.payload([
                SparkplugBytes.born("press.reads", alias: 7, datatype: 7, value: 1),
                SparkplugBytes.born("oven.offset", alias: 8, datatype: 2, value: 0xfffb),
            ]), at: now)
    }

    private mutating func data(_ records: [UInt8]..., from node: String = "press-line-4") {
        tally.received(
            topic: "spBv1.0/drawbridge/DDATA/\(node)/plc-1",
            payload: SparkplugBytes.payload(records), at: now)
    }

    @Test("an alias is read as its birth named it, also across devices of the node")
    mutating func names() {
        data(SparkplugBytes.record(alias: 7, id: 1, value: 41))
        tally.received(
            topic: "spBv1.0/drawbridge/NDATA/press-line-4",
            payload: SparkplugBytes.payload([SparkplugBytes.record(alias: 7, id: 2, value: 42)]),
            at: now)
        #expect(tally["plc-1/press.reads"].ids == [1, 2])
        #expect(tally.lastValues["plc-1/press.reads"] == .integer(42))
        #expect(tally["plc-1/press.reads"].last?.time == WallTime(milliseconds: 1_700_000_000_002))
        #expect(tally.messages == ["DBIRTH": 1, "DDATA": 1, "NDATA": 1])
    }

    @Test("a value without an id is no record, and a negative number comes in two's complement")
    func values() {
        #expect(tally.lastValues["plc-1/oven.offset"] == .integer(-5))
        #expect(tally.recordsCount == 0)
    }

    @Test("duplicates, gaps and wrong order are told apart")
    mutating func counts() {
        data(
            SparkplugBytes.record(alias: 7, id: 1, value: 10),
            SparkplugBytes.record(alias: 8, id: 2, value: 1))
        data(
            SparkplugBytes.record(alias: 7, id: 5, value: 12, isHistorical: true),
            SparkplugBytes.record(alias: 7, id: 1, value: 10),
            SparkplugBytes.record(alias: 7, id: 4, value: 13, isHistorical: true))
        let reads = tally["plc-1/press.reads"]
        #expect(reads.uniqueCount == 3)
        #expect(reads.duplicates == 1)
        #expect(reads.outOfOrder == 1)
        #expect(reads.historicalCount == 2)
        #expect(reads.missingCounts == 1)
    }

    @Test("what cannot be read is counted, not guessed")
    mutating func unreadable() {
        data(SparkplugBytes.record(alias: 99, id: 1, value: 1))
        data(SparkplugBytes.record(alias: 7, id: 2, value: 1), from: "another-node")
        tally.received(
            topic: "spBv1.0/drawbridge/DDATA/press-line-4/plc-1", payload: [0x12, 0xff], at: now)
        tally.received(topic: "spBv1.0/drawbridge", payload: [], at: now)
        #expect(tally.unreadable == 4)
        #expect(tally.recordsCount == 0)
    }

    @Test("every cut of a message is refused or read, never trapped on")
    func cuts() {
        let whole = SparkplugBytes.payload([SparkplugBytes.record(alias: 7, id: 1, value: 10)])
        let metrics = SparkplugMessage(whole)?.metrics
        #expect(metrics?.first?.properties == ["id": 1])
        for length in 0..<whole.count {
            let cut = SparkplugMessage(Array(whole[..<length]))?.metrics ?? []
            #expect(cut.isEmpty || cut == metrics, "cut at \(length)")
        }
        let endless = [UInt8](repeating: 0xff, count: 64)
        #expect(SparkplugMessage(endless) == nil)
    }

    @Test("hexadecimal text is read strictly")
    func hexadecimal() {
        #expect(CloudWatcher.bytes("00fFa5") == [0, 255, 165])
        #expect(CloudWatcher.bytes("0") == nil)
        #expect(CloudWatcher.bytes("0g") == nil)
    }
}
