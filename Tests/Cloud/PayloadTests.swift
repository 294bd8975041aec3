import Base
import Cloud
import Linux
import TestSupport
import Testing

@Suite("Sparkplug payload")
struct PayloadTests {
    /// Every field that we know, in one payload.
    static let everything = SparkplugPayload(
        timestamp: 1_700_000_000_123,
        metrics: [
            .init(
                name: "oven.temperature", alias: 1, timestamp: 1_700_000_000_100,
                datatype: .double, isHistorical: true,
                properties: [
                    .init(key: "id", type: .uint64, value: .long(.max)),
                    .init(key: "Quality", type: .int32, value: .int(0)),
                    .init(key: "nothing", type: .string, value: nil),
                ],
                value: .double(231.4)),
            .init(
                alias: 2, datatype: .int64, isTransient: true,
                value: .long(UInt64(bitPattern: -5))),
            .init(alias: 300, datatype: .boolean, value: .boolean(true)),
            .init(alias: 4, datatype: .string, value: .string("läuft")),
            .init(alias: 5, isNull: true),
            .init(alias: 6, value: .float(1.5)),
        ],
        sequence: 255, uuid: "u", body: [0, 255])

    @Test("what is written is read back")
    func roundTrip() throws {
        let bytes = Self.everything.encoded()
        #expect(try SparkplugPayload(decoding: bytes) == Self.everything)
        #expect(Self.everything.metrics[0].recordID == .max)
    }

    @Test("bytes as the protobuf encoding has them")
    func bytes() {
        let payload = SparkplugPayload(
            timestamp: 300, metrics: [.init(alias: 1, datatype: .boolean, value: .boolean(true))],
            sequence: 0)
        #expect(
            payload.encoded() == [
                0x08, 0xac, 0x02, 0x12, 0x06, 0x10, 0x01, 0x20, 0x0b, 0x70, 0x01, 0x18, 0x00,
            ])
    }

    @Test("protoc reads every field that we write")
    func protocReads() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/payload"
        try SmallFile.replace(file, with: Self.everything.encoded())
        let result = try await Self.protoc("--decode", input: file)
        let flat = result.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for part in [
            "timestamp: 1700000000123 metrics { name: \"oven.temperature\" alias: 1",
            "datatype: 10 is_historical: true properties { keys: \"id\" keys: \"Quality\"",
            "values { type: 8 long_value: 18446744073709551615 }",
            "values { type: 3 int_value: 0 }", "values { type: 12 is_null: true }",
            "double_value: 231.4 }", "is_transient: true long_value: 18446744073709551611 }",
            "alias: 300 datatype: 11 boolean_value: true", "string_value: \"l\\303\\244uft\"",
            "alias: 5 is_null: true", "float_value: 1.5", "seq: 255 uuid: \"u\"",
        ] {
            #expect(flat.contains(part), "\(part) is not in \(flat)")
        }
    }

    @Test("what protoc writes is read")
    func protocWrites() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/payload"
        try SmallFile.replace(file, with: Self.everything.encoded())
        let text = try await Self.protoc("--decode", input: file)
        try SmallFile.replace(folder.path + "/text", with: Array(text.utf8))
        try SmallFile.replace(file, with: [])
        _ = try await Self.protoc("--encode", input: folder.path + "/text", output: file)
        let bytes = try SmallFile.read(file)
        #expect(try SparkplugPayload(decoding: bytes) == Self.everything)
    }

    private static func protoc(_ mode: String, input: String, output: String? = nil)
        async throws -> String
    {
        let fixtures = "\(#filePath)".split(separator: "/").dropLast().joined(separator: "/")
        let script =
            "protoc -I\"$1\" $2=Payload \"$1\"/sparkplug_b.proto <\"$3\""
            + (output == nil ? "" : " >\"$4\"")
        let result = try await Command.run(
            ["/bin/sh", "-c", script, "sh", "/\(fixtures)/Fixtures", mode, input, output ?? ""])
        try #require(result.exit.isSuccess, "\(result.error)")
        return result.output
    }

    @Test("100,000 mutated and random payloads are read or refused, never crash")
    func fuzz() {
        var generator = SeededGenerator(seed: 1)
        let good = Self.everything.encoded()
        var refused = 0
        var read = 0
        for round in 0..<100_000 {
            var bytes = good
            if round % 4 == 0 {
                bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = bytes.indices.randomElement(using: &generator) ?? 0
                    bytes[index] = UInt8.random(in: 0...255, using: &generator)
                }
                if round % 4 == 1 {
                    bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
                }
            }
            do {
                let payload = try SparkplugPayload(decoding: bytes)
                // Whatever was understood can be written and understood again.
                let again = try SparkplugPayload(decoding: payload.encoded())
                if again.metrics.count != payload.metrics.count { Issue.record("round \(round)") }
                read += 1
            } catch {
                refused += 1
            }
        }
        #expect(read > 1_000 && refused > 1_000)
    }

    @Test("limits hold")
    func limits() {
        let many = (0...SparkplugPayload.metricsMax).flatMap { _ in [0x12, 0x00] as [UInt8] }
        #expect(throws: WireError.tooMany) { try SparkplugPayload(decoding: many) }
        let long = [UInt8](repeating: 0, count: SparkplugPayload.bytesMax + 1)
        #expect(throws: WireError.tooMany) { try SparkplugPayload(decoding: long) }
        // A varint that never ends, one of 70 bits, a length beyond the end, a group.
        #expect(throws: WireError.truncated) { try SparkplugPayload(decoding: [0x08, 0x80]) }
        let eleven = [0x08] + [UInt8](repeating: 0xff, count: 10)
        #expect(throws: WireError.malformed) { try SparkplugPayload(decoding: eleven) }
        #expect(throws: WireError.truncated) { try SparkplugPayload(decoding: [0x12, 0x7f]) }
        #expect(throws: WireError.malformed) { try SparkplugPayload(decoding: [0x0b]) }
    }
}
