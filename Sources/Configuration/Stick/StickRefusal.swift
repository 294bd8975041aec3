package import Settings

/// Why nothing of a USB stick comes into force, in a sentence that says what to do.
package enum StickRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The stick cannot be read, in words.
    case unreadable(String)
    /// It has another file system than FAT, in words.
    case otherFormat(String)
    /// What the reader has left is not whole.
    case cutOff
    case nothingThere(serial: String)
    case otherRouters([String], serial: String)
    case tooLarge(name: String, bytes: UInt64)
    case notSigned(name: String)
    /// One of the first lines is not as it must be; `wanted`: what is.
    case header(Position, String)
    case otherSerial(name: String, its: String, ours: String)
    case badSignature(name: String, keys: Int)
    case old(name: String, sequence: UInt64, last: UInt64)
    /// The config itself is wrong, a line each.
    case mistakes([String])
    /// What runs is not confirmed yet: nothing else may be tried over it.
    case onTrial(seconds: Int)
    /// The owner's keys, or what was applied last, cannot be used.
    case unusable(String)

    /// Whether nothing there is meant for a router, as on a disk that serves something else.
    package var isNothingForUs: Bool {
        switch self {
        case .otherFormat, .nothingThere: true
        default: false
        }
    }

    /// So many serials of other routers are told.
    private static let toldMax = 4

    package var description: String {
        switch self {
        case .unreadable(let why), .otherFormat(let why): return "the stick cannot be read: \(why)"
        case .cutOff:
            return "the stick was not read to its end: was it pulled out? Put it in again"
        case .nothingThere(let serial):
            return "no signed config in the stick's root folder: this router looks for "
                + SignedConfiguration.fileName(serial: serial)
        case .otherRouters(let others, let serial):
            let more = others.count > Self.toldMax ? " and \(others.count - Self.toldMax) more" : ""
            return
                "the stick's configs are for \(others.prefix(Self.toldMax).joined(separator: ", "))"
                + "\(more), and this router is \(serial): sign one for it"
        case .tooLarge(let name, let bytes):
            return "\(name) is \(bytes) bytes long; at most "
                + "\(SignedConfiguration.Limits.fileBytesMax) are read"
        case .notSigned(let name):
            return "\(name):1:1: not signed, for its first line is not "
                + "\"\(SignedConfiguration.firstLine)\": make it with `drawbridge stick sign`"
        case .header(let place, let wanted):
            return "\(place): here must stand \(wanted): make the file with `drawbridge stick sign`"
        case .otherSerial(let name, let its, let ours):
            return "\(name):2:1: it is for the router \(its), and this one is \(ours)"
        case .badSignature(let name, let keys):
            return
                "\(name):4:1: the signature is of none of the keys that this router knows (\(keys)), or "
                + "the file was changed after it was signed: sign it anew"
        case .old(let name, let sequence, let last):
            return
                "\(name):3:1: sequence \(sequence) is not newer than \(last), which was put in force "
                + "last: sign it anew"
        case .mistakes(let lines):
            let more = lines.count > 1 ? " (and \(lines.count - 1) more)" : ""
            return (lines.first ?? "the config is wrong") + more
        case .onTrial(let seconds):
            return
                "another config is on trial for \(seconds) s more: put the stick in again when that is over"
        case .unusable(let why): return why
        }
    }
}
