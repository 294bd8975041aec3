package import Base

/// Who asks for names that are not on the list, counted by user and program (`docs/behaviour.md` §3.5).
package struct AskerLog: Sendable {
    /// A program of the router, as far as it can be told.
    package struct Asker: Hashable, Sendable {
        package var uid: UInt32
        /// nil: not in `/etc/passwd`.
        package var user: String?
        /// nil: we may not see it.
        package var program: String?

        package init(uid: UInt32, user: String? = nil, program: String? = nil) {
            self.uid = uid
            self.user = user
            self.program = program
        }
    }

    package struct Entry: Equatable, Sendable {
        package var asker: Asker
        package var count: Int
        /// What it asked for last.
        package var name: String
    }

    /// Most askers that are counted one by one.
    package static let askersMax = 16
    /// Most questions of one second whose asker is looked up: that takes longer than the answer.
    package static let lookUpsMax = 10

    private var counts: [Asker: (count: Int, name: String)] = [:]
    private var second = Instant.boot
    private var lookUps = 0

    package init() {}

    /// Whether there is time to find out who asks.
    package mutating func mayLookUp(at now: Instant) -> Bool {
        if now - second >= .seconds(1) {
            second = now
            lookUps = 0
        }
        lookUps += 1
        return lookUps <= Self.lookUpsMax
    }

    package mutating func note(_ asker: Asker, _ name: String) {
        guard counts[asker] != nil || counts.count < Self.askersMax else { return }
        counts[asker] = ((counts[asker]?.count ?? 0) + 1, name)
    }

    /// Those who asked most first.
    package var entries: [Entry] {
        counts.map { Entry(asker: $0.key, count: $0.value.count, name: $0.value.name) }
            .sorted { ($1.count, $0.asker.uid, $0.name) < ($0.count, $1.asker.uid, $1.name) }
    }
}
