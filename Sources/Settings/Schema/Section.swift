/// One table of the config file: its keys, and the value that they fill in.
///
/// The draft holds the default of every key that has one, and a placeholder for those that are
/// required; a value with placeholders never leaves `Settings.parse`.
struct Section<Root: Sendable>: Sendable {
    /// As in `[name]`.
    var name: String
    var draft: Root
    var keys: [Key<Root>]
    /// Exactly one of these must be there.
    var oneOf: [String] = []
    /// Fills in what depends on other keys.
    var finish: @Sendable (inout Root) -> Void = { _ in }

    func read(_ table: TOMLTable, path: String, into report: inout Report) -> Root {
        var root = draft
        let known = keys.map(\.name)
        var meant: Set<String> = []
        for entry in table.entries where !known.contains(entry.name) {
            var advice = "known here: \(known.joined(separator: ", "))"
            if let nearest = Spelling.nearest(to: entry.name, among: known) {
                meant.insert(nearest)
                advice = "did you mean \(TOMLValue.quoted(nearest))?"
            }
            let message = "unknown key \(TOMLValue.quoted(entry.name)); \(advice)"
            report.add(message, key: path, at: entry.position)
        }
        for key in keys {
            let keyPath = path.isEmpty ? key.name : "\(path).\(key.name)"
            if let entry = table[key.name] {
                report.found(keyPath, at: entry.value.position)
                if !key.read(&root, entry.value, keyPath, &report) { report.fail(keyPath) }
            } else if key.isRequired {
                report.fail(keyPath)
                guard !table.isDamaged, !meant.contains(key.name) else { continue }
                report.add("is missing; write \(key.hint)", key: keyPath, at: table.position)
            }
        }
        let there = oneOf.compactMap { table[$0] }
        if let first = there.first, let second = there.dropFirst().first {
            report.add(
                "stands beside \(first.name); one of them is enough",
                key: path.isEmpty ? second.name : "\(path).\(second.name)",
                at: second.value.position)
        } else if let name = oneOf.first, there.isEmpty {
            let keyPath = path.isEmpty ? name : "\(path).\(name)"
            report.fail(keyPath)
            if !table.isDamaged, meant.isDisjoint(with: oneOf) {
                let hint = keys.first { $0.name == name }?.hint ?? name
                let others = oneOf.dropFirst().joined(separator: " or ")
                report.add(
                    "is missing; write \(hint), or \(others)", key: keyPath, at: table.position)
            }
        }
        finish(&root)
        return root
    }

    /// Every key below this section, for the documentation and its test.
    func documentation(path: String = "") -> [DocumentedKey] {
        keys.flatMap { key in
            let keyPath = path.isEmpty ? key.name : "\(path).\(key.name)"
            let below = key.below(keyPath)
            guard below.isEmpty else { return below }
            return [
                DocumentedKey(
                    path: keyPath, range: key.range,
                    fallback: key.isRequired ? nil : key.fallback(draft))
            ]
        }
    }
}

/// One key of a section: what it must be, and where it goes.
struct Key<Root: Sendable>: Sendable {
    let name: String
    let isRequired: Bool
    let hint: String
    let range: String
    /// Puts the value into the root; false if it is not right, which has been reported.
    let read: @Sendable (inout Root, TOMLNode, String, inout Report) -> Bool
    /// What the key is when it is not set.
    var fallback: @Sendable (Root) -> String
    /// The keys of the table that this key holds.
    let below: @Sendable (String) -> [DocumentedKey]

    typealias Path<Target, Value> = any (WritableKeyPath<Target, Value> & Sendable)

    init<Value: Sendable>(
        _ name: String, _ path: Path<Root, Value>, _ kind: Kind<Value>, required: Bool = false,
        fallback: String? = nil
    ) {
        self.name = name
        isRequired = required
        hint = kind.hint
        range = kind.range
        read = { root, node, keyPath, report in
            guard let value = kind.read(node, keyPath, &report) else { return false }
            root[keyPath: path] = value
            return true
        }
        self.fallback = { root in fallback ?? kind.text(root[keyPath: path]) }
        below = kind.below
    }

    /// A key without a default.
    init<Value: Sendable>(
        _ name: String, optional path: Path<Root, Value?>, _ kind: Kind<Value>,
        fallback: String? = nil
    ) {
        self.init(name, path, kind.optional, fallback: fallback)
    }

    /// A list of tables, whose keys depend on what was read before them.
    init<Element: Sendable>(
        _ name: String, _ path: Path<Root, [Element]>, count: ClosedRange<Int>,
        section: @escaping @Sendable (Root) -> Section<Element>, draft: Root
    ) {
        self.name = name
        isRequired = count.lowerBound > 0
        hint = "[[\(name)]]"
        range = ""
        read = { root, node, keyPath, report in
            let kind = Kind.tables(section(root), count: count)
            guard let value = kind.read(node, keyPath, &report) else { return false }
            root[keyPath: path] = value
            return true
        }
        fallback = { _ in "none" }
        below = { section(draft).documentation(path: $0) }
    }

    /// The same key in a table that holds this one's table as a part.
    func within<Whole>(
        _ whole: Path<Whole, Root>, fallback: String? = nil
    ) -> Key<Whole> {
        Key<Whole>(self, within: whole, fallback: fallback)
    }

    private init<Part>(_ key: Key<Part>, within whole: Path<Root, Part>, fallback: String?) {
        name = key.name
        isRequired = key.isRequired
        hint = key.hint
        range = key.range
        read = { root, node, keyPath, report in
            key.read(&root[keyPath: whole], node, keyPath, &report)
        }
        self.fallback = { root in fallback ?? key.fallback(root[keyPath: whole]) }
        below = key.below
    }
}

/// What the documentation must say about a key.
package struct DocumentedKey: Hashable, Sendable {
    /// Names from the root, such as `machine.tag.name`.
    package var path: String
    /// The range of its values in words; empty if there is none to tell.
    package var range: String
    /// Its value when it is not set; nil: it is required.
    package var fallback: String?
}
