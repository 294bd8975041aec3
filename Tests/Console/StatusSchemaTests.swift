import Console
import FoundationEssentials
import Linux
import Testing

/// `docs/status.md` is the schema: it names every key, and no other.
@Suite("Status document")
struct StatusSchemaTests {
    /// The paths of all keys, `uplinks[].name`.
    private func paths(_ value: JSONValue, _ prefix: String = "") -> Set<String> {
        switch value {
        case .object(let members):
            members.reduce(into: []) { all, member in
                let path = prefix.isEmpty ? member.key : "\(prefix).\(member.key)"
                let below = paths(member.value, path)
                all.formUnion(below.isEmpty ? [path] : below)
            }
        case .array(let elements):
            elements.reduce(into: []) { $0.formUnion(paths($1, prefix + "[]")) }
        case .other: []
        }
    }

    private enum JSONValue: Decodable {
        case object([String: JSONValue])
        case array([JSONValue])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let object = try? container.decode([String: JSONValue].self) {
                self = .object(object)
            } else if let array = try? container.decode([JSONValue].self) {
                self = .array(array)
            } else {
                self = .other
            }
        }
    }

    @Test("docs/status.md names each key of the document, and no other")
    func documented() throws {
        var document = badDay()
        for index in document.uplinks.indices {
            document.uplinks[index].address = "10.1.0.2"
            document.uplinks[index].gateway = "10.1.0.1"
        }
        document.uplinks[1].login = "wants a login"
        document.drill = .init(secondsAgo: 3600, isGood: false, words: "lte failed at dns")
        document.tunnel?.address = "10.8.0.6"
        document.tunnel?.certificate = "4f2a"
        document.tunnel?.certificateSeconds = 3000
        document.tunnel?.inwardBytes = 0
        document.tunnel?.outwardBytes = 0
        document.configuration.number = 3
        document.machines[0].valuesPerMinute = 12
        document.recorder.cursors = [.init(name: "mes", unreadRecords: 12, lostRecords: 3)]
        document.firewall.exceptions?[0].opensSeconds = 3_600
        document.keySwitch?.areUplinksOpen = true
        document.keySwitch?.remoteLevel = "high"
        document.keySwitch?.lamp = "on"
        document.keySwitch?.isLampBroken = false
        document.keySwitch?.remainingSeconds = 0
        let bytes = try ConsoleJSON.encode(document)
        let found = paths(try ConsoleJSON.decode(JSONValue.self, from: bytes))
        let root = #filePath.components(separatedBy: "/Tests/")[0]
        let text = try String(contentsOfFile: root + "/docs/status.md", encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let named = Set(rows.map { String($0.dropFirst(3).prefix { $0 != "`" }) })
        #expect(found.subtracting(named).sorted() == [])
        #expect(named.subtracting(found).sorted() == [])
    }

    @Test("the version is in the document, and 1")
    func version() throws {
        let text = String(decoding: try ConsoleJSON.encode(goodDay()), as: UTF8.self)
        #expect(text.contains("\"version\":1"))
    }
}

@Suite("History and forecast")
struct StatusHistoryTests {
    @Test("half an hour is kept, and an uplink that is gone is forgotten")
    func bounded() {
        var history = StatusHistory()
        var document = goodDay()
        for index in 0..<1000 {
            document.uplinks[0].rttMilliseconds = Double(index)
            history.take(document)
        }
        history.complete(&document)
        let samples = document.uplinks[0].history
        #expect(samples?.rttMilliseconds.count == StatusHistory.samplesMax)
        #expect(samples?.rttMilliseconds.last == 999)
        #expect(samples?.lossPercent.count == StatusHistory.samplesMax)
        document.uplinks.removeFirst()
        history.take(document)
        document = goodDay()
        history.complete(&document)
        #expect(document.uplinks[0].history == nil)
    }

    @Test("three uplinks at their bound keep the reply far below its limit")
    func short() throws {
        var history = StatusHistory()
        var document = goodDay()
        for _ in 0..<StatusHistory.samplesMax {
            document.uplinks[0].rttMilliseconds = 1234.5678
            history.take(document)
        }
        history.complete(&document)
        #expect(try ConsoleJSON.encode(document).count < 32 << 10)
    }

    @Test("room for so many more days, at the rate so far")
    func forecast() {
        func words(_ bytes: Int64, _ days: Double) -> String? {
            var recorder = StatusDocument.Recorder()
            recorder.roomSeconds = RecorderForecast.roomSeconds(
                bytes: bytes, quota: 8_000_000_000, oldestMilliseconds: 0,
                newestMilliseconds: Int64(days * 86_400_000))
            return RecorderForecast.words(recorder)
        }
        #expect(words(1_000_000_000, 3) == "room for 21 more days")
        #expect(words(4_000_000_000, 1.0 / 24) == "room for 60 more minutes")
        #expect(words(4_000_000_000, 1.5) == "room for 36 more hours")
        #expect(words(7_900_000_000, 30) == "full: new records replace the oldest")
        #expect(words(1_000, 30) == "room for years")
        #expect(words(1_000, 0) == nil)
        #expect(words(0, 30) == nil)
    }
}
