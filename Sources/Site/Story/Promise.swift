import Base

/// One promise of the product, as it was put to the test.
package struct Promise: Equatable, Sendable {
    /// What is promised, in the user's words.
    package var text: String
    /// What was measured: `4.1 s`, `0 of 65,535 ports answered`.
    package var figure: String
    package var isKept: Bool

    package init(_ text: String, _ figure: String, isKept: Bool) {
        self.text = text
        self.figure = figure
        self.isKept = isKept
    }
}

/// A line of the running commentary.
package enum StoryLine: Equatable, Sendable {
    /// A new chapter begins.
    case chapter(String)
    /// The site did something to the router.
    case done(String)
    /// The router answered, or something was seen.
    case seen(String)
    /// A promise was put to the test.
    case promise(Promise)
}

/// Numbers as the commentary writes them.
package enum Figure {
    /// `0.4 ms`, `36 ms`, `4.1 s`
    package static func time(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        if milliseconds < 10 { return tenths(milliseconds) + " ms" }
        if milliseconds < 1000 { return "\(Int(milliseconds.rounded())) ms" }
        return tenths(milliseconds / 1000) + " s"
    }

    /// `65,535`
    package static func count(_ number: some BinaryInteger) -> String {
        var digits = String(number)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
