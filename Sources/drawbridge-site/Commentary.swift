import Base
import Glibc
import Linux
import Site
import Synchronization

/// The running commentary: a line an event, with live counters below it on a terminal.
final class Commentary: Sendable {
    private let begun = SystemClock().now()
    private let isTerminal = isatty(1) == 1
    private let hasColour = isatty(1) == 1 && getenv("NO_COLOR") == nil
    private let counters = Mutex("")

    private enum Colour: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
    }

    func opening(_ lines: String...) {
        for line in lines { print(paint(line, .dim)) }
    }

    func say(_ line: StoryLine) {
        switch line {
        case .chapter(let text): print("\n" + paint("── \(text)", .bold))
        case .done(let text): print(stamp + paint("▶ " + text, .yellow))
        case .seen(let text): print(stamp + paint("◀ " + text, .cyan))
        case .promise(let promise):
            print(stamp + verdict(promise) + " \(promise.text): \(promise.figure)")
        }
    }

    func summary(_ promises: [Promise]) {
        let width = promises.map(\.text.count).max() ?? 0
        print("\n" + paint("── Every promise, and what was measured", .bold))
        for promise in promises {
            let padding = String(repeating: " ", count: width - promise.text.count)
            print("  \(verdict(promise)) \(promise.text)\(padding)  \(promise.figure)")
        }
        let kept = promises.count(where: \.isKept)
        let all = kept == promises.count
        print(
            "\n"
                + paint(
                    "\(kept) of \(promises.count) promises held, in \(Figure.time(SystemClock().now() - begun)).",
                    all ? .green : .red))
    }

    /// Keeps the counters true until it is cancelled; only a terminal shows them.
    func count(_ site: Site, _ story: Story) async throws {
        guard isTerminal else { return }
        while true {
            try await Task.sleep(for: .milliseconds(500))
            let records = await site.cloud.look { $0.recordsCount }
            let seen = try? await story.look()
            show(
                "  \(Figure.count(records)) in the cloud · "
                    + (seen?.summary ?? "the router does not answer"))
        }
    }

    /// Wipes the counters: what is printed next begins on a line of its own.
    func stopCounting() {
        counters.withLock { counters in
            if !counters.isEmpty { Output.write("\r\u{1b}[K") }
            counters = ""
        }
    }

    /// The terminal's width, 80 where it does not tell.
    private static var columns: Int {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private var stamp: String {
        let seconds = Int((SystemClock().now() - begun).inSeconds)
        let text = "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
        return paint(text, .dim) + "  "
    }

    private func verdict(_ promise: Promise) -> String {
        promise.isKept ? paint("✓", .green) : paint("✗", .red)
    }

    private func paint(_ text: String, _ colour: Colour) -> String {
        hasColour ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    /// A line above the counters, which are drawn anew below it.
    private func print(_ text: String) {
        counters.withLock { counters in
            Output.write(isTerminal ? "\r\u{1b}[K\(text)\n\(counters)" : text + "\n")
        }
    }

    private func show(_ text: String) {
        counters.withLock { counters in
            // One screen line: a wrapped line could not be wiped.
            let isLong = text.count >= Self.columns
            let line = isLong ? text.prefix(max(0, Self.columns - 2)) + "…" : Substring(text)
            counters = paint(String(line), .dim)
            Output.write("\r\u{1b}[K\(counters)")
        }
    }
}
