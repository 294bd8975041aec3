/// One part of a dotted key.
struct TOMLKey {
    var name: String
    var position: Position
}

/// The tables of a file while it is being read: TOML's rules on what may be defined once.
struct TOMLDocument {
    let root: TOMLTable
    /// The table that keys go to: of the last header, or the root.
    private(set) var current: TOMLTable
    /// The name of `current`, such as `machine[0]`.
    private var section = ""
    /// The key whose value is being read.
    var keys: [TOMLKey] = []
    var problems: [SettingsProblem] = []

    init(at position: Position) {
        root = TOMLTable(.header, at: position)
        current = root
    }

    mutating func report(_ fault: TOMLFault) {
        let names = ([section] + keys.map(\.name)).filter { !$0.isEmpty }
        problems.append(
            SettingsProblem(fault.position, key: names.joined(separator: "."), fault.message))
    }

    /// Begins `[keys]` or `[[keys]]`.
    mutating func open(
        _ keys: [TOMLKey], isArray: Bool, at position: Position
    ) throws(TOMLFault) {
        guard let last = keys.last else { return }
        var path: [String] = []
        var table = root
        for key in keys.dropLast() {
            (table, path) = try step(key, from: table, path)
        }
        let known = table[last.name]
        let opened = TOMLTable(.header, at: position)
        path.append(last.name)
        switch known?.value.value {
        case nil:
            let value: TOMLValue = isArray ? .tables(TOMLTables(opened)) : .table(opened)
            table.set(last, to: TOMLNode(value: value, position: position))
            current = opened
            if isArray { path[path.count - 1] += "[0]" }
        case .tables(let tables)? where isArray:
            path[path.count - 1] += "[\(tables.all.count)]"
            tables.all.append(opened)
            current = opened
        case .table(let implied)? where implied.origin == .implied && !isArray:
            implied.origin = .header
            current = implied
        case .table(let first)? where first.origin == .header && !isArray:
            // Its keys are checked with those of the first.
            current = first
            let message = "[\(path.joined(separator: "."))] stands twice; "
            problems.append(
                SettingsProblem(position, message + "move its keys to line \(first.position.line)"))
        case .some(let other):
            throw collision(last, with: other, at: known?.position)
        }
        section = path.joined(separator: ".")
    }

    /// After a header that can't be read: the keys that follow belong to nothing.
    mutating func openNothing(at position: Position) {
        root.isDamaged = true
        current = TOMLTable(.header, at: position)
        section = ""
    }

    private func step(
        _ key: TOMLKey, from table: TOMLTable, _ path: [String]
    ) throws(TOMLFault) -> (TOMLTable, [String]) {
        guard let known = table[key.name] else {
            let implied = TOMLTable(.implied, at: key.position)
            table.set(key, to: TOMLNode(value: .table(implied), position: key.position))
            return (implied, path + [key.name])
        }
        switch known.value.value {
        case .table(let next) where next.origin != .inline: return (next, path + [key.name])
        case .tables(let tables):
            guard let last = tables.all.last else { break }
            return (last, path + ["\(key.name)[\(tables.all.count - 1)]"])
        default: break
        }
        throw collision(key, with: known.value.value, at: known.position)
    }

    /// Puts a value into a table; the keys before the last name tables of their own.
    func assign(
        _ keys: [TOMLKey], _ node: TOMLNode, in table: TOMLTable
    ) throws(TOMLFault) {
        guard let last = keys.last else { return }
        var table = table
        for key in keys.dropLast() {
            let known = table[key.name]
            switch known?.value.value {
            case nil:
                let next = TOMLTable(.dotted, at: key.position)
                table.set(key, to: TOMLNode(value: .table(next), position: key.position))
                table = next
            case .table(let next)? where next.origin == .dotted: table = next
            case .some(let other): throw collision(key, with: other, at: known?.position)
            }
        }
        if let known = table[last.name] {
            throw collision(last, with: known.value.value, at: known.position)
        }
        table.set(last, to: node)
    }

    private func collision(
        _ key: TOMLKey, with value: TOMLValue, at first: Position?
    ) -> TOMLFault {
        let place = first.map { " on line \($0.line)" } ?? ""
        let kind =
            switch value {
            case .table, .tables: "is already \(value)"
            default: "is already set"
            }
        let name = TOMLValue.quoted(key.name)
        return TOMLFault(position: key.position, message: "the key \(name) \(kind)\(place)")
    }
}

extension TOMLTable {
    fileprivate func set(_ key: TOMLKey, to node: TOMLNode) {
        set(Entry(name: key.name, position: key.position, value: node))
    }
}
