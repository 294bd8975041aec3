import Base

/// What the server's answer to a block means (RFC 9110 §15).
package enum BulkReply: Equatable, Sendable {
    /// It has the block.
    case delivered
    /// It does not, or not surely; the block is sent again, not before `after`.
    case failed(String, after: Duration?)

    /// A server may ask for a longer pause than ours, up to this.
    package static let pauseMax = Duration.seconds(3600)

    package init(status: Int, retryAfter: Duration? = nil) {
        let after = retryAfter.map { min($0, Self.pauseMax) }
        switch status {
        case 200..<300: self = .delivered
        case 409:
            // The same name is the same block: it came with an attempt whose answer was lost.
            self = .delivered
        case 300..<400:
            self = .failed("sends us elsewhere (\(status)), where we do not go", after: nil)
        case 401, 403:
            self = .failed(
                "refuses this router (\(status)): it does not know its certificate", after: after)
        case 404: self = .failed("has no such folder (404): is bulk.url right?", after: after)
        case 413: self = .failed("takes no file of this size (413)", after: after)
        case 429, 503: self = .failed("is busy (\(status))", after: after)
        case 507: self = .failed("has no room left (507)", after: after)
        case 500..<600: self = .failed("has a fault (\(status))", after: after)
        default: self = .failed("does not take our request (\(status))", after: after)
        }
    }
}
