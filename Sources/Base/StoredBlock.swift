/// A sealed block of the ring, byte for byte as it lies on flash, without the zeros that fill its last page.
package struct StoredBlock: Equatable, Sendable {
    /// Of its file, wherever it goes: the same block has the same name always, and no other block has it.
    package var name: String
    package var bytes: [UInt8]
    /// How many records it holds, and between which sequences they lie.
    package var records: Int
    package var sequences: ClosedRange<UInt64>

    package init(name: String, bytes: [UInt8], records: Int, sequences: ClosedRange<UInt64>) {
        self.name = name
        self.bytes = bytes
        self.records = records
        self.sequences = sequences
    }
}
