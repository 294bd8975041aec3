/// Headers, keys and values.
extension TOMLParser {
    /// Reads `[a.b]` or `[[a.b]]`.
    mutating func header() throws(TOMLFault) {
        let start = scanner.position
        do throws(TOMLFault) {
            scanner.advance()
            let isArray = scanner.skip(.openBracket)
            let keys = try dottedKey()
            for _ in 0..<(isArray ? 2 : 1) {
                guard scanner.skip(.closeBracket) else {
                    let closing = isArray ? "]]" : "]"
                    throw scanner.fault(
                        "expected \(closing) after the table's name, saw \(scanner.seen)")
                }
            }
            try document.open(keys, isArray: isArray, at: start)
        } catch {
            document.openNothing(at: start)
            throw error
        }
    }

    /// Reads `key = value`.
    mutating func assignment() throws(TOMLFault) {
        let table = document.current
        let keys: [TOMLKey]
        do throws(TOMLFault) {
            keys = try dottedKey()
            guard scanner.skip(.equals) else {
                throw scanner.fault("expected = after the key, saw \(scanner.seen)")
            }
        } catch {
            table.isDamaged = true
            throw error
        }
        document.keys = keys
        scanner.skipSpace()
        let start = scanner.position
        do throws(TOMLFault) {
            try document.assign(keys, value(depth: 1), in: table)
        } catch {
            // The key was meant to be there: it shall not be called missing.
            try? document.assign(keys, TOMLNode(value: .broken, position: start), in: table)
            throw error
        }
    }

    private mutating func dottedKey() throws(TOMLFault) -> [TOMLKey] {
        var keys: [TOMLKey] = []
        repeat {
            scanner.skipSpace()
            let position = scanner.position
            guard keys.count < Limits.depthMax else {
                throw scanner.fault("a key has at most \(Limits.depthMax) parts")
            }
            keys.append(TOMLKey(name: try simpleKey(), position: position))
            scanner.skipSpace()
        } while scanner.skip(.dot)
        return keys
    }

    private mutating func simpleKey() throws(TOMLFault) -> String {
        let byte = scanner.byte
        if byte == .quote || byte == .apostrophe {
            guard scanner.peek(1) != byte || scanner.peek(2) != byte else {
                throw scanner.fault("a key stands on one line, within one pair of quotes")
            }
            return try scanner.string()
        }
        let name = scanner.take(while: \.isBareKey)
        guard !name.isEmpty else {
            throw scanner.fault("expected a key, saw \(scanner.seen)")
        }
        return name
    }

    private mutating func value(depth: Int) throws(TOMLFault) -> TOMLNode {
        let position = scanner.position
        guard depth <= Limits.depthMax else {
            throw scanner.fault("values are nested deeper than \(Limits.depthMax)")
        }
        let value: TOMLValue
        switch scanner.byte {
        case .quote, .apostrophe: value = .string(try scanner.string())
        case .openBracket: value = .array(try array(depth: depth))
        case .openBrace: value = .table(try inlineTable(at: position, depth: depth))
        default: value = try bareValue(at: position)
        }
        return TOMLNode(value: value, position: position)
    }

    private mutating func bareValue(at position: Position) throws(TOMLFault) -> TOMLValue {
        let token = scanner.take { !$0.endsBareValue }
        guard !token.isEmpty else {
            throw scanner.fault("expected a value, saw \(scanner.seen)")
        }
        guard let value = TOMLValue(bare: token) else {
            throw scanner.fault(TOMLValue.advice(for: token), at: position)
        }
        return value
    }

    private mutating func array(depth: Int) throws(TOMLFault) -> [TOMLNode] {
        let line = scanner.line
        scanner.advance()
        var nodes: [TOMLNode] = []
        do throws(TOMLFault) {
            while true {
                try scanner.skipBlank()
                if scanner.skip(.closeBracket) { return nodes }
                nodes.append(try value(depth: depth + 1))
                try scanner.skipBlank()
                if !scanner.skip(.comma), scanner.byte != .closeBracket {
                    throw scanner.fault("expected , or ] in the list, saw \(scanner.seen)")
                }
            }
        } catch {
            guard error.position.line > line, !error.message.hasSuffix(")") else { throw error }
            var error = error
            error.message += " (in the list that begins on line \(line))"
            throw error
        }
    }

    private mutating func inlineTable(
        at position: Position, depth: Int
    ) throws(TOMLFault) -> TOMLTable {
        scanner.advance()
        let table = TOMLTable(.dotted, at: position)
        scanner.skipSpace()
        if !scanner.skip(.closeBrace) {
            repeat {
                let keys = try dottedKey()
                guard scanner.skip(.equals) else {
                    throw scanner.fault("expected = after the key, saw \(scanner.seen)")
                }
                scanner.skipSpace()
                try document.assign(keys, value(depth: depth + 1), in: table)
                scanner.skipSpace()
            } while scanner.skip(.comma)
            guard scanner.skip(.closeBrace) else {
                throw scanner.fault(
                    "expected , or } on the line that began with {, saw \(scanner.seen)")
            }
        }
        table.origin = .inline
        return table
    }
}

extension UInt8 {
    fileprivate var endsBareValue: Bool {
        switch self {
        case .space, .tab, .comma, .hash, .equals, .quote, .apostrophe,
            .openBracket, .closeBracket, .openBrace, .closeBrace, .return:
            true
        default: self.isControl
        }
    }
}
