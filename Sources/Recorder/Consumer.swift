/// Who reads the ring, each at its own pace and with losses of its own: none of them holds up the ring, or another.
package enum Consumer: Hashable, Sendable {
    case cloud
    /// Whoever reads with the cursor of this name.
    case reader(String)

    /// Who gets whole blocks as they are stored; no other reader may take its name.
    package static let bulk = Consumer.reader(bulkName)
    package static let bulkName = "bulk"

    /// The tag that its loss records have.
    package var lossTag: String {
        switch self {
        case .cloud: LossReport.tag
        case .reader(let name): LossReport.tag + "/" + name
        }
    }
}

/// How far a reader has come.
package struct NamedCursor: Equatable, Sendable {
    /// `Limits.cursorNameBytesMax` letters, digits, `-`, `_` or `.` at most.
    package var name: String
    /// It has acknowledged up to here.
    package var sequence: UInt64
    /// Readings that it will never get; each is told of in a loss record.
    package var lost: UInt64 = 0

    package init(name: String, sequence: UInt64, lost: UInt64 = 0) {
        self.name = name
        self.sequence = sequence
        self.lost = lost
    }

    package static func isName(_ name: String) -> Bool {
        (1...Limits.cursorNameBytesMax).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }
}

/// Why a cursor is not there.
package enum CursorRefusal: Error, Equatable, CustomStringConvertible {
    case badName
    case tooMany
    case reserved

    package var description: String {
        switch self {
        case .badName:
            "a cursor's name has 1 to \(Limits.cursorNameBytesMax) letters, digits, - _ or ."
        case .reserved: "the cursor \"\(Consumer.bulkName)\" is that of [bulk]"
        case .tooMany:
            "there are \(Limits.cursorsMax) cursors already; remove one with `drawbridge log forget`"
        }
    }
}
