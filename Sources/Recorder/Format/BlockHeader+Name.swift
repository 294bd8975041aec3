extension BlockHeader {
    /// What a block's own file is called: the store, the class, and the first record.
    ///
    ///     0123456789abcdef0123456789abcdef-sample-00000000000000065537.block
    package var fileName: String {
        "\(Self.padded(store.high, 16, radix: 16))\(Self.padded(store.low, 16, radix: 16))"
            + "-\(recordClass.name)-\(Self.padded(firstSequence, 20, radix: 10))"
            + Self.fileSuffix
    }

    package static let fileSuffix = ".block"

    private static func padded(_ number: UInt64, _ digits: Int, radix: Int) -> String {
        let text = String(number, radix: radix)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
