extension FixedWidthInteger {
    /// Reads a number as people write it: decimal digits without sign or leading zeros; nil otherwise.
    package init?(decimal text: some StringProtocol) {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), text == "0" || text.first != "0",
            let number = Self(text)
        else { return nil }
        self = number
    }
}
