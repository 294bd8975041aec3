/// Finds what somebody meant to write.
enum Spelling {
    /// The known word nearest to `word`, if it is near enough to be meant.
    static func nearest(to word: String, among known: [String]) -> String? {
        let word = Array(word.lowercased().utf8.prefix(64))
        let ranked = known.map { (name: $0, distance: distance(word, Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }),
            best.distance <= max(1, best.name.utf8.count / 2)
        else { return nil }
        return best.name
    }

    /// Letters to insert, drop, replace or swap with a neighbour (optimal string alignment).
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let same = a[i - 1] == b[j - 1]
                var best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    best = min(best, before[j - 2] + 1)
                }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
