/// What the reading of a file has found: where each key stands, and what is wrong.
struct Report {
    private(set) var problems: [SettingsProblem] = []
    private var places: [String: Position] = [:]
    private var failed: Set<String> = []
    /// The place of what stands nowhere.
    private let start: Position

    init(start: Position) {
        self.start = start
    }

    mutating func add(_ message: String, key: String, at position: Position) {
        problems.append(SettingsProblem(position, key: key, message))
    }

    mutating func found(_ key: String, at position: Position) {
        places[key] = position
    }

    /// Remembers that a key has no value of use.
    mutating func fail(_ key: String) {
        failed.insert(key)
    }

    /// Whether the file sets this key.
    func isSet(_ key: String) -> Bool { places[key] != nil }

    /// Whether the values of all these keys can be used: read without error, or a default.
    func isSound(_ keys: String...) -> Bool {
        keys.allSatisfy { key in Self.lineage(of: key).allSatisfy { !failed.contains($0) } }
    }

    /// Where a key stands or, if it is not set, the table that it would be in.
    func place(of key: String) -> Position {
        Self.lineage(of: key).lazy.compactMap { places[$0] }.first ?? start
    }

    /// The key and all tables around it, from inside out: `a[0].b`, `a[0]`, `a`.
    private static func lineage(of key: String) -> [String] {
        var keys = [key]
        for index in key.indices.reversed() where key[index] == "." || key[index] == "[" {
            keys.append(String(key[..<index]))
        }
        return keys
    }
}
