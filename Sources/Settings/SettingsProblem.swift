/// A place in a config file, as an editor counts it.
package struct Position: Hashable, Sendable, CustomStringConvertible {
    /// The file's name as it was given to us.
    package var file: String
    /// 1 for the first line; 0 when the file as a whole is meant.
    package var line: Int
    /// 1 for the first character of the line, counted in Unicode scalars.
    package var column: Int

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { line == 0 ? file : "\(file):\(line):\(column)" }
}

/// One thing that is wrong in a config file.
package struct SettingsProblem: Hashable, Sendable, CustomStringConvertible {
    package var position: Position
    /// The key meant, such as `uplink[0].interval`; empty where none can be named.
    package var key: String
    /// What is wrong, what was seen, and what would be right.
    package var message: String

    package init(_ position: Position, key: String = "", _ message: String) {
        self.position = position
        self.key = key
        self.message = message
    }

    /// One line: `file:line:column: key: message`.
    package var description: String {
        "\(position): " + (key.isEmpty ? "" : key + ": ") + message
    }
}

/// Everything that is wrong in a set of config files, in the order of the files and lines.
package struct SettingsErrors: Error, CustomStringConvertible {
    package let problems: [SettingsProblem]

    /// Most problems that are reported at once.
    package static let problemsMax = 50

    /// Sorts the problems; `files` are the names of all files, in the order in which they were read.
    init(_ problems: [SettingsProblem], files: [String]) {
        func rank(_ problem: SettingsProblem) -> (Int, Int, Int) {
            let file = files.firstIndex(of: problem.position.file) ?? files.count
            return (file, problem.position.line, problem.position.column)
        }
        self.problems = problems.sorted { rank($0) < rank($1) }
    }

    /// The problems as lines to print; a last line tells how many more there are.
    package var lines: [String] {
        var lines = problems.prefix(Self.problemsMax).map(\.description)
        let rest = problems.count - lines.count
        if rest > 0 { lines.append("and \(rest) more") }
        return lines
    }

    package var description: String { lines.joined(separator: "\n") }
}
