/// In which order a machine keeps the bytes of a value in its registers. Written for four bytes, A the
/// highest: `CDAB` has the low word first, `BADC` swaps the bytes of each word, `DCBA` does both.
package enum WordOrder: Sendable {
    case abcd, badc, cdab, dcba

    /// The words as the decoder wants them: high word first, high byte first. The words of a text stay in
    /// their order, whatever that of numbers is.
    package func normalised(_ words: ArraySlice<UInt16>, isText: Bool = false) -> [UInt16] {
        let bytes =
            switch self {
            case .abcd, .cdab: Array(words)
            case .badc, .dcba: words.map(\.byteSwapped)
            }
        switch self {
        case .abcd, .badc: return bytes
        case .cdab, .dcba: return isText ? bytes : bytes.reversed()
        }
    }
}
