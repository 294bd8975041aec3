/// Tells a listener that something has happened, not what: he looks for himself.
final class Bell: Sendable {
    /// One for all that rang since the last. One listener.
    let rings: AsyncStream<Void>
    private let report: AsyncStream<Void>.Continuation

    init() {
        (rings, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func ring() { report.yield() }
}
