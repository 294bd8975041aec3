package import Base
import FoundationEssentials

extension LossReport {
    /// The report as a reading, to be recorded like any other.
    package func reading(at time: Timestamp, tag: String = Self.tag) -> Reading {
        Reading(source: Self.source, tag: tag, value: .string(json), time: time)
    }

    /// The report that a reading carries, if it is a loss record of this tag.
    package init?(_ reading: Reading, tag: String = Self.tag) {
        guard reading.source == Self.source, reading.tag == tag,
            case .string(let text) = reading.value,
            let report = try? JSONDecoder().decode(LossReport.self, from: Data(text.utf8))
        else { return nil }
        self = report
    }

    private var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Integers and valid texts only: there is nothing that JSON could not express.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
