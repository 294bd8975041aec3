package import Base

/// Which records are asked for.
package struct RecordFilter: Equatable, Sendable {
    package var source: String?
    package var tag: String?
    /// By the wall clock, both included.
    package var from: WallTime
    package var through: WallTime

    package init(
        source: String? = nil, tag: String? = nil,
        from: WallTime = WallTime(milliseconds: .min),
        through: WallTime = WallTime(milliseconds: .max)
    ) {
        self.source = source
        self.tag = tag
        self.from = from
        self.through = through
    }

    package func accepts(_ name: TagName) -> Bool {
        (source.map { $0 == name.source } ?? true) && (tag.map { $0 == name.tag } ?? true)
    }

    package func accepts(_ reading: Reading) -> Bool {
        reading.time.wall >= from && reading.time.wall <= through
            && accepts(TagName(source: reading.source, tag: reading.tag))
    }
}
