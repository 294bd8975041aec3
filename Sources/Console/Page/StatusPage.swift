import Base

/// The status page: one HTML document without scripts or anything from elsewhere. A pure function of the status.
package enum StatusPage {
    /// `isLive`: it renews itself, and says how to stop that.
    package static func html(
        _ document: StatusDocument, events: [EventEntry] = [], isLive: Bool = true
    ) -> String {
        var page = HTML()
        page.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        page.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        page.element("title", "\(document.device): \(word(document.state).text)")
        page.raw("<style>")
        page.raw(PageStyle.css)
        page.raw("</style></head><body><a class=\"skip\" href=\"#main\">To the content</a>")
        header(document, &page)
        page.raw("<main id=\"main\">")
        problems(document, &page)
        tiles(document, &page)
        uplinks(document, &page)
        page.raw("<div class=\"grid wide\">")
        remoteAccess(document, &page)
        recorder(document, &page)
        cloud(document, &page)
        machines(document, &page)
        firewall(document, &page)
        self.events(events, document, &page)
        page.raw("</div></main>")
        footer(isLive, &page)
        page.raw("</body></html>\n")
        return page.source
    }

    enum Mark {
        case good, warn, bad

        var style: StaticString {
            switch self {
            case .good: "good"
            case .warn: "warn"
            case .bad: "bad"
            }
        }
    }

    private static func word(_ state: StatusDocument.State) -> (text: String, mark: Mark) {
        switch state {
        case .ok: ("OK", .good)
        case .degraded: ("Degraded", .warn)
        case .closed: ("Closed", .bad)
        }
    }

    private static func header(_ document: StatusDocument, _ page: inout HTML) {
        let (text, mark) = word(document.state)
        page.raw("<header>")
        page.element("h1", document.device)
        page.raw("<span class=\"pill ")
        page.text("\(mark.style)")
        page.raw("\">")
        page.text(text)
        page.raw("</span>")
        let time = LocalTime(document)
        page.element(
            "span", class: "muted",
            time.full(WallTime(milliseconds: document.timeMilliseconds))
                + (document.isReady ? "" : ", starting"))
        page.raw("</header>")
    }

    private static func footer(_ isLive: Bool, _ page: inout HTML) {
        page.raw("<footer><p>")
        if isLive {
            page.raw("This page renews itself every 10 seconds. <a href=\"/still\">Stop that</a>")
        } else {
            page.raw("This page stands still. <a href=\"/\">Renew it every 10 seconds</a>")
        }
        page.raw(" · <a href=\"/metrics\">Figures for Prometheus</a></p>")
        page.raw(
            "<p>Read only. What is wrong and what to do: <code>drawbridge doctor</code> on the router.</p></footer>"
        )
    }

    private static func problems(_ document: StatusDocument, _ page: inout HTML) {
        guard !document.problems.isEmpty else { return }
        page.raw("<section class=\"card problems ")
        page.text(document.state == .closed ? "bad" : "")
        page.raw(
            "\" aria-labelledby=\"h-problems\" style=\"margin-top:1rem\"><h2 id=\"h-problems\">What is wrong</h2><ul>"
        )
        for problem in document.problems.prefix(12) { page.element("li", problem) }
        page.raw("</ul></section>")
    }

    // MARK: - In ten seconds

    private static func tiles(_ document: StatusDocument, _ page: inout HTML) {
        page.raw("<section aria-label=\"In short\"><ul class=\"grid\">")
        let carrying = document.uplinks.first { $0.isCarrying && $0.isUp }
        let isOnline = carrying != nil && document.cloud.isConnected
        if document.isCutByKey {
            tile("Off the network", "the key is off: all uplinks are cut", .warn, &page)
        } else {
            tile(
                isOnline ? "Online" : carrying == nil ? "Offline" : "No cloud",
                carrying.map { "over \($0.name)" } ?? "no uplink carries traffic",
                isOnline ? .good : .bad, &page)
        }
        tile(
            document.firewall.isInForce ? "Closed" : "Firewall not in force",
            document.firewall.isInForce
                ? "nobody reaches router or machine unasked" : document.firewall.state,
            document.firewall.isInForce ? .good : .bad, &page)
        tile(
            document.recorder.isRecording ? "Recording" : "Not recording",
            document.recorder.isRecording
                ? RecorderForecast.words(document.recorder) ?? "to flash" : document.recorder.state,
            document.recorder.isRecording ? .good : .bad, &page)
        let access = access(document)
        tile(access.title, access.text, access.mark, &page)
        page.raw("</ul></section>")
    }

    private static func tile(_ title: String, _ text: String, _ mark: Mark, _ page: inout HTML) {
        page.raw("<li class=\"tile ")
        page.text("\(mark.style)")
        page.raw("\"><strong class=\"")
        page.text("\(mark.style)")
        page.raw("\">")
        page.text(title)
        page.raw("</strong>")
        page.element("span", text)
        page.raw("</li>")
    }

    static func access(_ document: StatusDocument) -> (title: String, text: String, mark: Mark) {
        guard let key = document.keySwitch, let tunnel = document.tunnel else {
            return ("No remote access", "none is configured", .good)
        }
        if key.position == .off, key.cutsUplinks {
            return ("Remote access closed", "the key is off, all uplinks are cut", .good)
        }
        let end = key.end(at: LocalTime(document)).map { "; \($0)" } ?? ""
        switch key.position {
        case .on where key.isGateOpen && tunnel.isConnected:
            return ("Remote access open", "the key is on, the VPN stands\(end)", .good)
        case .on where key.isTimeUp:
            return ("Remote access closed", "its time is up: turn the key off, and on again", .good)
        case .on where !key.isGateOpen: return ("Remote access closed", key.reason, .bad)
        case .on: return ("Remote access waits", "the key is on, the VPN is \(tunnel.state)", .warn)
        case .online: return ("Remote access closed", "the key is at online", .good)
        case .off: return ("Remote access closed", "the key is off", .good)
        case .unknown: return ("Remote access closed", "the key cannot be read", .bad)
        }
    }
}
