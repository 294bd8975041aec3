/// How the delivery of blocks goes.
package struct BulkStatus: Equatable, Sendable {
    /// Since this service began.
    package var blocks: UInt64 = 0
    package var records: UInt64 = 0
    package var bytes: UInt64 = 0
    /// Why the last attempt failed; nil: it did not.
    package var trouble: String?

    package init() {}
}
