import Base

extension UplinkMonitor {
    /// What speaks against an uplink since its last answer.
    struct Doubts: Sendable {
        /// Of regular probes.
        var losses = Losses()
        var suspicion: Suspicion?
    }

    enum State: Sendable {
        case unseen
        case noLink
        case untried
        case doubtful(Doubts)
        case up(Doubts)
        case down
        case recovering(answers: Int, Losses)

        var standing: Standing {
            switch self {
            case .unseen, .noLink: .noLink
            case .untried: .untried
            case .doubtful: .doubtful
            case .up: .up
            case .down: .down
            case .recovering: .recovering
            }
        }

        /// Only what has not been given up can be suspected; elsewhere it is nil, and stays so.
        var suspicion: Suspicion? {
            get {
                switch self {
                case .doubtful(let doubts), .up(let doubts): doubts.suspicion
                case .unseen, .noLink, .untried, .down, .recovering: nil
                }
            }
            set {
                switch self {
                case .doubtful(var doubts):
                    doubts.suspicion = newValue
                    self = .doubtful(doubts)
                case .up(var doubts):
                    doubts.suspicion = newValue
                    self = .up(doubts)
                case .unseen, .noLink, .untried, .down, .recovering:
                    break
                }
            }
        }

        var canBeSuspected: Bool {
            switch self {
            case .doubtful(let doubts), .up(let doubts): doubts.suspicion == nil
            case .unseen, .noLink, .untried, .down, .recovering: false
            }
        }
    }
}
