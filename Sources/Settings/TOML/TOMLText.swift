/// Makes a file's bytes readable as text.
enum TOMLText {
    /// Blanks every line that is not valid UTF-8, and reports it.
    static func repaired(
        _ bytes: [UInt8], file: String
    ) -> (bytes: [UInt8], problems: [SettingsProblem]) {
        guard String(validating: bytes, as: UTF8.self) == nil else { return (bytes, []) }
        // What Windows editors call "Unicode": one word about it, not one for each line.
        guard !bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xfe, 0xff]) else {
            let message = "this file is UTF-16 (\"Unicode\" in Windows editors); save it as UTF-8"
            return ([], [SettingsProblem(Position(file: file, line: 1, column: 1), message)])
        }
        var repaired = bytes
        var problems: [SettingsProblem] = []
        let lines = bytes.split(separator: .lineFeed, omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            guard let column = columnOfError(in: line) else { continue }
            let message = "this line is not UTF-8 text; save the file as UTF-8"
            problems.append(
                SettingsProblem(Position(file: file, line: number + 1, column: column), message))
            for index in line.indices { repaired[index] = .space }
            guard problems.count < SettingsErrors.problemsMax else {
                return (Array(repaired[..<line.endIndex]), problems)
            }
        }
        return (repaired, problems)
    }

    /// The column of the first character that is none; nil if there is no such.
    private static func columnOfError(in line: ArraySlice<UInt8>) -> Int? {
        var decoder = UTF8()
        var bytes = line.makeIterator()
        var column = 1
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue: column += 1
            case .error: return column
            case .emptyInput: return nil
            }
        }
    }
}
