package import Base

/// Records as people and programs read them.
package enum RecordText {
    /// A line for people: time, source, tag, value. A text that a machine sent can neither split it nor steer the terminal.
    package static func line(_ record: Record) -> String {
        let reading = record.reading
        let quality = reading.quality == .good ? "" : "  (bad)"
        let clock = record.isTimeCorrected ? "  (time corrected)" : ""
        let what = "\(reading.source)/\(reading.tag)  \(plain(reading.value))"
        return WallText.format(reading.time.wall) + "  " + what.withoutControls() + quality + clock
    }

    /// One JSON object on a line; RFC 8259. Numbers that JSON cannot express are texts.
    package static func json(_ record: Record) -> String {
        let reading = record.reading
        return
            "{\"sequence\":\(record.sequence),\"time\":\"\(WallText.format(reading.time.wall))\","
            + "\"source\":\(quoted(reading.source)),\"tag\":\(quoted(reading.tag)),"
            + "\"value\":\(json(reading.value)),\"good\":\(reading.quality == .good)"
            + (record.isTimeCorrected ? ",\"timeCorrected\":true}" : "}")
    }

    package static let csvHeader = "sequence,time,source,tag,value,good,timeCorrected"

    /// One line of comma-separated values; RFC 4180.
    package static func csv(_ record: Record) -> String {
        let reading = record.reading
        return "\(record.sequence),\(WallText.format(reading.time.wall)),\(cell(reading.source)),"
            + "\(cell(reading.tag)),\(cell(plain(reading.value))),\(reading.quality == .good),"
            + "\(record.isTimeCorrected)"
    }

    private static func plain(_ value: TagValue) -> String {
        switch value {
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): value
        }
    }

    private static func json(_ value: TagValue) -> String {
        switch value {
        case .double(let value) where !value.isFinite: "\"\(value)\""
        case .string(let value): quoted(value)
        case .bool, .integer, .double: plain(value)
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func cell(_ text: String) -> String {
        guard text.utf8.contains(where: { [34, 44, 10, 13].contains($0) }) else { return text }
        return "\"" + text.escaping(["\""], with: "\"") + "\""
    }
}

/// Wall times as texts of RFC 3339, in UTC.
package enum WallText {
    /// `2026-11-21T12:30:00.250Z`
    package static func format(_ time: WallTime) -> String {
        let day = Int64(86_400_000)
        let rest = ((time.milliseconds % day) + day) % day
        let date = CivilTime(time)
        return
            "\(padded(Int64(date.year), 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))T"
            + "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):"
            + "\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
    }

    /// Reads `2026-11-21`, `2026-11-21T12:30`, `2026-11-21T12:30:00Z` or what `format` writes; nil if it is none of these.
    package static func parse(_ text: String) -> WallTime? {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = halves[0].split(whereSeparator: { "-T:Z".contains($0) }).map { Int64($0) }
        guard numbers.count == 3 || numbers.count == 5 || numbers.count == 6,
            !numbers.contains(nil), halves.count == 1 || halves.count == 2 && numbers.count == 6
        else { return nil }
        var milliseconds: Int64 = 0
        if halves.count == 2 {
            let digits = halves[1].hasSuffix("Z") ? halves[1].dropLast() : halves[1]
            guard (1...9).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ (48...57).contains($0) }),
                let number = Int64((digits + "00").prefix(3))
            else { return nil }
            milliseconds = number
        }
        let part = numbers.compactMap { $0 } + [0, 0, 0]
        guard (1970...9999).contains(part[0]), (1...12).contains(part[1]),
            (1...31).contains(part[2]), part[3] < 24, part[4] < 60, part[5] < 60
        else { return nil }
        let seconds = days(part[0], part[1], part[2]) * 86_400 + part[3] * 3600 + part[4] * 60
        return WallTime(milliseconds: (seconds + part[5]) * 1000 + milliseconds)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }
}
