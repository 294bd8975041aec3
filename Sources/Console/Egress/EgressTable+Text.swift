extension EgressTable {
    private static let headings = ["FROM", "TO", "PORTS", "OPEN NOW", "WHY"]
    /// Wider columns are not filled up.
    private static let widthMax = 32

    /// The table as text, a line each destination and address.
    package func text() -> String {
        let lines = rows.flatMap { row -> [[String]] in
            let addresses = row.addresses.map { address in
                address.address
                    + (address.openSeconds.map { " (\(Figure.age(seconds: $0)))" } ?? "")
            }
            let first = [
                row.from.rawValue, row.to, row.ports.joined(separator: " "), addresses.first ?? "-",
                row.why,
            ]
            return [first] + addresses.dropFirst().map { ["", "", "", $0, ""] }
        }
        let widths = Self.headings.indices.map { column in
            ([Self.headings] + lines).map { $0[column].count }.filter { $0 <= Self.widthMax }.max()
                ?? Self.widthMax
        }
        let table = ([Self.headings] + lines).map { line in
            let padded = zip(line, widths).map { Screen.Piece($0).text.padded($1) }
                .joined(separator: "  ")
            return String(padded.reversed().drop { $0 == " " }.reversed()) + "\n"
        }
        let wayIn = incoming.isEmpty ? "Incoming: nothing.\n" : "Incoming:\n"
        return heading + table.joined() + wayIn
            + incoming.map { "  \(Screen.Piece($0).text)\n" }.joined()
    }

    private var heading: String {
        switch source {
        case .daemon:
            "What \(device) may reach over its uplinks; everything else is dropped.\n"
        case .config:
            "What \(device) may reach over its uplinks, by its config file alone: no daemon answers, so the\n"
                + "addresses behind the names are not known.\n"
        }
    }
}
