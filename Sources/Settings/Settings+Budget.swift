package import Base

extension Settings {
    /// `budget`: how many bytes a month the probes of an uplink may take.
    package enum ProbeBudget: Equatable, Sendable {
        case unlimited
        case monthly(ByteSize)

        /// Where bytes are paid for.
        package static let usual = ByteSize(bytes: 5_000_000)
    }
}

extension Settings.Uplink {
    /// What its probes may take in a month; nil: as much as they need.
    package var probeBudget: ByteSize? {
        switch budget {
        case .unlimited: return nil
        case .monthly(let size): return size
        case nil:
            let medium = medium ?? Settings.Medium(guessedFrom: interface)
            return isMetered || medium == .cellular ? Settings.ProbeBudget.usual : nil
        }
    }
}
