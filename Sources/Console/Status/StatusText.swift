/// The status in words, for one screen of 80 columns and 24 lines.
package enum StatusText {
    package static let columns = 80
    package static let rows = 24

    typealias Piece = Screen.Piece

    /// How the uplinks' history is drawn.
    package enum Sparklines: Sendable {
        case none, unicode, plain
    }

    /// Pure. Whether to use colour is the caller's decision (a terminal, and no `NO_COLOR`).
    package static func render(
        _ document: StatusDocument, isColoured: Bool = false, sparklines: Sparklines = .none
    ) -> String {
        var screen = Screen(width: columns, isColoured: isColoured)
        header(document, &screen)
        screen.line([])
        section("Problems", problems(document), &screen)
        let links = uplinks(document.uplinks)
        // Below each uplink, if the rest still fits on the screen.
        let drawn = sparklines == .none || links.count > 3 ? [] : history(document, sparklines)
        let fits = screen.lines.count + links.count + drawn.count <= rows - 12
        section(
            "Uplinks",
            fits && drawn.count == links.count
                ? zip(links, drawn).flatMap { [$0, $1] } : clipped(links, to: 5), &screen)
        if let drill = document.drill { section("", [[Self.drill(drill, document)]], &screen) }
        section("Cloud", cloud(document.cloud), &screen)
        let remote =
            switchLines(document.keySwitch, at: LocalTime(document)) + tunnel(document.tunnel)
        let firewall = firewall(document.firewall)
        let egress = egress(document.egress)
        let recorder = recorder(document.recorder, at: LocalTime(document))
        let left =
            rows - screen.lines.count - recorder.count - remote.count - firewall.count
            - egress.count
        let exceptions = clipped(
            exceptions(document.firewall.exceptions ?? []), to: max(0, left - 1))
        let rest = remote + firewall + exceptions.map { ("", $0) } + egress
        let room = rows - screen.lines.count - recorder.count - rest.count
        let machines = machines(document.machines, at: LocalTime(document))
        section("Machines", clipped(machines, to: max(1, room)), &screen)
        section("Recorder", recorder, &screen)
        for (label, line) in rest { section(label, [line], &screen) }
        return screen.lines.joined(separator: "\n") + "\n"
    }

    // MARK: layout

    static let labelWidth = 10

    static func section(_ label: String, _ lines: [[Piece]], _ screen: inout Screen) {
        for (index, line) in lines.enumerated() {
            let head = Piece((index == 0 ? label : "").padded(labelWidth), .bold)
            screen.line([head] + line)
        }
    }

    /// At most `count` lines; the last one says how many are missing.
    static func clipped(_ lines: [[Piece]], to count: Int) -> [[Piece]] {
        guard lines.count > count else { return lines }
        guard count > 0 else { return [] }
        return lines.prefix(count - 1)
            + [[Piece("and \(lines.count - count + 1) more", .dim)]]
    }

    /// One or two lines, broken between words; what is longer is cut by the screen.
    static func wrapped(_ text: String) -> [String] {
        let width = columns - labelWidth
        guard text.count > width else { return text.isEmpty ? [] : [text] }
        let head = text.prefix(width + 1)
        let end = head.lastIndex(of: " ") ?? text.index(text.startIndex, offsetBy: width)
        return [String(text[..<end]), String(text[end...].drop { $0 == " " })]
    }

    /// Widths of a column that fit all its texts, up to a limit.
    static func width(_ texts: [String], max limit: Int) -> Int {
        min(limit, texts.map(\.count).max() ?? 0)
    }

    static func cell(_ text: String, _ width: Int) -> String {
        String(text.prefix(width)).padded(width) + "  "
    }
}
