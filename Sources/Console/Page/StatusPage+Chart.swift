import Base

/// The uplinks with what they were like lately.
extension StatusPage {
    static func uplinks(_ document: StatusDocument, _ page: inout HTML) {
        page.raw("<section aria-labelledby=\"h-uplinks\"><h2 id=\"h-uplinks\">Uplinks</h2>")
        page.raw("<p class=\"muted\"><span class=\"key k1\"></span>round trip ")
        page.raw(
            "<span class=\"key k2\"></span>loss <span class=\"key k3\"></span>carries the traffic</p>"
        )
        page.raw("<div class=\"grid\">")
        for uplink in document.uplinks { card(uplink, &page) }
        page.raw("</div></section>")
    }

    private static func card(_ uplink: StatusDocument.Uplink, _ page: inout HTML) {
        page.raw("<article class=\"card\"><div class=\"row\">")
        page.element("h3", uplink.name)
        if !uplink.isUp {
            page.element("span", class: "pill bad", "down")
        } else if uplink.login != nil {
            page.element("span", class: "pill bad", "wants a login")
        } else if uplink.isCarrying {
            page.element("span", class: "pill good", "carries")
        } else {
            page.element("span", class: "muted", "ready")
        }
        page.raw("</div>")
        var facts = [uplink.interface, uplink.address ?? "no address"]
        facts.append("for \(Figure.age(seconds: uplink.sinceSeconds))")
        if uplink.isUp {
            if let rtt = uplink.rttMilliseconds { facts.append("\(Figure.decimal(rtt)) ms") }
            if let loss = uplink.lossPercent { facts.append("\(Figure.decimal(loss)) % lost") }
        }
        if uplink.bursts > 0 { facts.append(StatusText.suspicions(uplink.bursts)) }
        page.element("p", class: "muted", facts.joined(separator: ", "))
        if !uplink.isUp { page.element("p", class: "bad", uplink.reason) }
        if let login = uplink.login { page.element("p", class: "bad", login) }
        if let history = uplink.history, history.lossPercent.count > 1 {
            chart(history, of: uplink.name, &page)
        }
        page.raw("</article>")
    }

    private static let chartHeight = 80.0

    private static func chart(
        _ history: StatusDocument.Uplink.History, of name: String, _ page: inout HTML
    ) {
        let count = history.lossPercent.count
        let top = max(10, history.rttMilliseconds.compactMap { $0 }.max() ?? 0)
        let losses = history.lossPercent
        let mean = losses.reduce(0, +) / Double(count)
        let switches = zip(history.isCarrying, history.isCarrying.dropFirst()).count { $0 != $1 }
        let minutes = Figure.age(seconds: count * history.intervalSeconds)
        page.raw("<svg preserveAspectRatio=\"none\" role=\"img\"")
        page.attribute("viewBox", "0 0 \(count) \(Int(chartHeight) + 8)")
        page.attribute(
            "aria-label",
            "\(name), last \(minutes): round trip at most \(Figure.decimal(top)) ms, "
                + "\(Figure.decimal(mean)) % lost on average, "
                + (switches == 0 ? "no switch" : "switched \(switches) times"))
        page.raw(">")
        bars(losses.map { $0 / 100 * chartHeight }, &page)
        lines(history.rttMilliseconds.map { $0.map { chartHeight * (1 - $0 / top) } }, &page)
        strip(history.isCarrying, &page)
        page.raw("</svg><div class=\"axis\"><span>")
        page.text("\(minutes) ago")
        page.raw("</span><span>")
        page.text("top: \(Figure.decimal(top)) ms, 100 % lost")
        page.raw("</span><span>now</span></div>")
    }

    /// One path for all bars: short, and drawn at once.
    private static func bars(_ heights: [Double], _ page: inout HTML) {
        var path = ""
        for (index, height) in heights.enumerated() where height > 0 {
            path +=
                "M\(index) \(Int(chartHeight))v-\(Figure.decimal(height))h1v\(Figure.decimal(height))z"
        }
        page.raw("<path class=\"loss\"")
        page.attribute("d", path)
        page.raw("/>")
    }

    private static func lines(_ heights: [Double?], _ page: inout HTML) {
        var path = ""
        var isDrawing = false
        for (index, height) in heights.enumerated() {
            guard let height else {
                isDrawing = false
                continue
            }
            path += "\(isDrawing ? "L" : "M")\(index).5 \(Figure.decimal(max(1, height)))"
            isDrawing = true
        }
        page.raw("<path class=\"rtt\"")
        page.attribute("d", path)
        page.raw("/>")
    }

    private static func strip(_ carrying: [Bool], _ page: inout HTML) {
        var path = ""
        for (index, carries) in carrying.enumerated() where carries {
            path += "M\(index) \(Int(chartHeight) + 3)h1v5h-1z"
        }
        page.raw("<path class=\"carry\"")
        page.attribute("d", path)
        page.raw("/>")
    }
}
