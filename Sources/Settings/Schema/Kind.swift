/// What the value of a key must be.
struct Kind<Value: Sendable>: Sendable {
    /// As in "… is not a duration".
    var noun: String
    /// As in "write a whole number with a unit (…), such as "2s"".
    var hint: String
    /// What is allowed, in words; empty where `noun` says it all.
    var range = ""
    /// Reads a value; nil if it is not right, which has been reported under the key given.
    var read: @Sendable (TOMLNode, String, inout Report) -> Value?
    /// The value as one writes it in the file.
    var text: @Sendable (Value) -> String
    /// The keys of a table, if it is one.
    var below: @Sendable (String) -> [DocumentedKey] = { _ in [] }
}

/// Why a value is refused that is of the right kind: the words after the value.
struct Refusal: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}

extension Kind {
    /// A kind that sees the value alone.
    ///
    /// `parse` returns nil for what is not of this kind at all, and throws to give a reason.
    init(
        _ noun: String, hint: String, range: String = "",
        text: @escaping @Sendable (Value) -> String,
        parse: @escaping @Sendable (TOMLValue) throws(Refusal) -> Value?
    ) {
        self.init(
            noun: noun, hint: hint, range: range,
            read: { node, key, report in
                if case .broken = node.value { return nil }
                do throws(Refusal) {
                    if let value = try parse(node.value) { return value }
                    report.add(
                        "\(node.value) is not \(noun); write \(hint)", key: key, at: node.position)
                } catch {
                    report.add("\(node.value) \(error.message)", key: key, at: node.position)
                }
                return nil
            }, text: text)
    }

    /// A kind that is written as a text in quotes.
    static func quoted(
        _ noun: String, hint: String, range: String = "",
        text: @escaping @Sendable (Value) -> String = { "\($0)" },
        parse: @escaping @Sendable (String) throws(Refusal) -> Value?
    ) -> Kind {
        Kind(noun, hint: hint, range: range, text: { "\"\(text($0))\"" }) {
            value throws(Refusal) in
            guard case .string(let string) = value else { return nil }
            return try parse(string)
        }
    }

    /// The same for a value that may be absent.
    var optional: Kind<Value?> {
        Kind<Value?>(
            noun: noun, hint: hint, range: range,
            read: { node, key, report in read(node, key, &report).map { .some($0) } },
            text: { value in value.map { text($0) } ?? "none" }, below: below)
    }
}

// MARK: - Tables and lists

extension Kind {
    static func table(_ section: Section<Value>, hint: String? = nil) -> Kind {
        let hint = hint ?? "[\(section.name)]"
        return Kind(
            noun: "a table", hint: hint,
            read: { node, key, report in
                switch node.value {
                case .table(let table): return section.read(table, path: key, into: &report)
                case .broken: return nil
                default:
                    report.add(
                        "\(node.value) is not a table; write \(hint)", key: key,
                        at: node.position)
                    return nil
                }
            }, text: { _ in "" }, below: { section.documentation(path: $0) })
    }

    static func tables<Element: Sendable>(
        _ section: Section<Element>, count: ClosedRange<Int>
    ) -> Kind where Value == [Element] {
        let header = "[[\(section.name)]]"
        return Kind(
            noun: "a list of tables", hint: header,
            read: { node, key, report in
                guard let tables = node.value.asTables else {
                    if case .broken = node.value { return nil }
                    let message = "\(node.value) is not a list of tables; write \(header)"
                    report.add(message, key: key, at: node.position)
                    return nil
                }
                guard count.contains(tables.count) else {
                    let place = tables.dropFirst(count.upperBound).first?.position ?? node.position
                    let message =
                        "\(tables.count) times \(header); write it \(count.words) times"
                    report.add(message, key: key, at: place)
                    return nil
                }
                return tables.enumerated().map { index, table in
                    report.found("\(key)[\(index)]", at: table.position)
                    return section.read(table, path: "\(key)[\(index)]", into: &report)
                }
            }, text: { _ in "none" }, below: { section.documentation(path: $0) })
    }

    static func list<Element: Hashable & Sendable>(
        of kind: Kind<Element>, _ noun: String, such example: String, count: ClosedRange<Int>
    ) -> Kind where Value == [Element] {
        let text: @Sendable ([Element]) -> String = { values in
            "[" + values.map { kind.text($0) }.joined(separator: ", ") + "]"
        }
        return Kind(
            noun: "a list", hint: "a list, such as \(example)",
            range: "\(count.words) of them",
            read: { node, key, report in
                guard case .array(let nodes) = node.value else {
                    if case .broken = node.value { return nil }
                    let message = "\(node.value) is not a list; write a list, such as \(example)"
                    report.add(message, key: key, at: node.position)
                    return nil
                }
                guard count.contains(nodes.count) else {
                    report.add(
                        "holds \(nodes.count) \(noun); write \(count.words)", key: key,
                        at: node.position)
                    return nil
                }
                var values: [Element] = []
                for (index, node) in nodes.enumerated() {
                    let element = "\(key)[\(index)]"
                    report.found(element, at: node.position)
                    guard let value = kind.read(node, element, &report) else { continue }
                    if values.contains(value) {
                        report.add("\(node.value) stands twice", key: element, at: node.position)
                    }
                    values.append(value)
                }
                return values.count == nodes.count ? values : nil
            }, text: text)
    }
}

extension TOMLValue {
    /// The tables of `[[name]]`, or of a list of `{ … }`.
    fileprivate var asTables: [TOMLTable]? {
        switch self {
        case .tables(let tables): return tables.all
        case .array(let nodes):
            let tables = nodes.compactMap { node in
                if case .table(let table) = node.value { table } else { nil }
            }
            return tables.count == nodes.count ? tables : nil
        default: return nil
        }
    }
}

extension ClosedRange<Int> {
    var words: String { "\(lowerBound) to \(upperBound)" }
}
