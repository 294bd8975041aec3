extension UplinkMonitor {
    /// Why an uplink stands as it does. Put into words only when somebody asks: a poor line has a new one with each
    /// probe.
    enum Reason: Sendable, ExpressibleByStringInterpolation {
        case words(String)
        /// `sendFailure`: why the last one could not even be sent.
        case lost(Losses, sendFailure: String?)
        case recovering(answers: Int, of: Int)

        init(stringLiteral words: String) { self = .words(words) }

        var words: String {
            switch self {
            case .words(let words): words
            case .lost(let losses, nil): losses.words()
            case .lost(let losses, let failure?): "\(losses.words()): \(failure)"
            case .recovering(let answers, let successes):
                "recovering: \(answers) of \(successes) probes answered in a row"
            }
        }
    }
}
