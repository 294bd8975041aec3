package import Base

extension UplinkMonitor {
    /// Why an uplink stands as it does. Put into words only when somebody asks: a poor line has a new one with each
    /// probe.
    package enum Reason: Sendable {
        case words(String)
        /// `within`: a whole burst of them, in so long; `sendFailure`: why the last one could not even be sent.
        case lost(Losses, to: [IPv4Address], within: Duration?, sendFailure: String?)
        case answered(IPv4Address, isLate: Bool = false)
        case answeredInARow(Int)
        case recovering(answers: Int, of: Int)

        package var words: String {
            switch self {
            case .words(let words): words
            case .lost(let losses, let targets, let time, let failure):
                losses.words(to: targets, within: time) + (failure.map { ": \($0)" } ?? "")
            case .answered(let target, let isLate): "\(target) answered\(isLate ? " late" : "")"
            case .answeredInARow(1): "a probe answered"
            case .answeredInARow(let answers): "\(answers) probes in a row answered"
            case .recovering(let answers, let successes):
                "recovering: \(answers) of \(successes) probes answered in a row"
            }
        }
    }
}

extension UplinkMonitor.Reason: ExpressibleByStringLiteral {
    package init(stringLiteral words: String) { self = .words(words) }
}

extension UplinkMonitor.Reason: Equatable {
    /// Whether they read the same.
    package static func == (a: Self, b: Self) -> Bool { a.words == b.words }
}
