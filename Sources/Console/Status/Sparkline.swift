/// A row of bars, one character a sample.
enum Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")
    private static let plainBars = Array(".:-=+*%#")
    static let gap: Character = " "

    /// The last `width` samples; the tallest bar is the largest of them, at least `least`. A missing one is a gap.
    static func text(
        _ samples: [Double?], width: Int, least: Double, isUnicode: Bool = true
    ) -> String {
        let shown = samples.suffix(width)
        let top = max(least, shown.compactMap { $0 }.filter(\.isFinite).max() ?? 0)
        let bars = isUnicode ? bars : plainBars
        return String(
            shown.map { sample in
                guard let sample, sample.isFinite, sample >= 0 else { return gap }
                return bars[min(bars.count - 1, Int(sample / top * Double(bars.count)))]
            })
    }
}
