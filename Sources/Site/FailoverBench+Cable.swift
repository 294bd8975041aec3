import Base
import Linux

// Pulled cables: the kernel knows at once, and so must everybody else.
extension FailoverBench {
    /// One pulled cable.
    package struct Cut: Sendable {
        /// From the kernel's word that the carrier is gone to its word that the new route stands.
        package var route: Duration
        /// From the kernel's word to the first datagram that came back after those that were lost; zero: none was.
        package var gap: Duration
        package var lost: Int
    }

    /// Pulls the preferred uplink's cable `count` times, and plugs it in again.
    package func cuts(_ count: Int) async throws -> [Cut] {
        var moments: [(gone: Instant, moved: Instant, end: Instant)] = []
        for _ in 0..<count {
            let pulled = try await site.pullCable(.a)
            var found: (gone: Instant, moved: Instant)?
            try await site.waitUntil(
                within: .seconds(30), "the route leaves the cable", every: .milliseconds(50)
            ) {
                let since = try heard().filter { $0.at > pulled }
                let gone = since.first {
                    $0.what == .carrier(false) && $0.interface == ISP.a.routerInterface
                }
                let moved = since.first {
                    $0.what == .carries && $0.interface != ISP.a.routerInterface
                }
                found = gone.flatMap { gone in moved.map { (gone.at, $0.at) } }
                return found != nil
            }
            try await Task.sleep(for: .milliseconds(Int64.random(in: 200...300)))
            let end = try await site.plugCable(.a)
            guard let found else { continue }
            moments.append((found.gone, found.moved, end))
            try await waitUntilCarrying(.a, within: .seconds(60))
            try await Task.sleep(for: .milliseconds(Int64.random(in: 200...400)))
        }
        let all = try arrivals()
        return moments.map { gone, moved, end in
            let during = all.filter { $0.arrived > gone - .milliseconds(50) && $0.sent < end }
            return Cut(
                route: moved - gone, gap: Self.gap(during, from: gone), lost: Self.lost(during))
        }
    }
}
