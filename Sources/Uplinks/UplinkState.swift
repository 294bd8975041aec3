import Base

extension UplinkMonitor {
    /// What speaks against an uplink since its last answer.
    struct Doubts: Sendable {
        /// Of regular probes.
        var losses = Losses()
        private var silence = Silence.believed

        /// Elsewhere in memory: a suspicion is long and rarely there, while states are copied with every event.
        private enum Silence: Sendable {
            case believed
            indirect case suspected(Suspicion)
        }

        init(losses: Losses = Losses(), suspicion: Suspicion? = nil) {
            self.losses = losses
            self.suspicion = suspicion
        }

        var suspicion: Suspicion? {
            get { if case .suspected(let suspicion) = silence { suspicion } else { nil } }
            set { silence = newValue.map { .suspected($0) } ?? .believed }
        }

        var hasSuspicion: Bool { if case .suspected = silence { true } else { false } }
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

        var isSuspected: Bool {
            switch self {
            case .doubtful(let doubts), .up(let doubts): doubts.hasSuspicion
            case .unseen, .noLink, .untried, .down, .recovering: false
            }
        }

        var canBeSuspected: Bool {
            switch self {
            case .doubtful(let doubts), .up(let doubts): !doubts.hasSuspicion
            case .unseen, .noLink, .untried, .down, .recovering: false
            }
        }
    }
}
