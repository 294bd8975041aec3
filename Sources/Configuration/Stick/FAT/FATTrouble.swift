/// Why a FAT file system cannot be read, in words.
package enum FATTrouble: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is something else; what, where that can be told.
    case otherFormat(String)
    case damaged(String)
    /// The device itself fails.
    case device(String)

    package var description: String {
        switch self {
        case .otherFormat(let what): "\(what): format it as FAT32"
        case .damaged(let what): "its FAT file system is damaged: \(what)"
        case .device(let why): why
        }
    }
}

/// Where a file system lies.
package protocol FATDevice {
    /// Exactly so many bytes from a place on.
    func read(at offset: UInt64, count: Int) throws(FATTrouble) -> [UInt8]
}
