import Base
import Testing

@testable import Site

/// Behaviour 4.7, as a client on the LAN and a counter in the router see it.
@Suite(
    "Running connections", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(2)))
struct RunningConnectionsTests {
    @Test(
        "behaviour 4.7: datagrams and new connections move with the route, resting ones are reset, nothing is left",
        arguments: [FailoverBench.Translation.masquerade, .snat])
    func move(translation: FailoverBench.Translation) async throws {
        try await Site.with { site in try await move(in: site, translation) }
    }

    private func move(in site: Site, _ translation: FailoverBench.Translation) async throws {
        let bench = try await FailoverBench.begin(
            in: site, .daemon(["hold": "\"2s\"", "hold-max": "\"2s\"", "finish": "\"1s\""]))
        let moves = try await bench.moves(1, translation)
        try await bench.end()
        // Generous: other work may hold all processors.
        let late = Duration.seconds(1)
        for move in moves {
            #expect(move.restingBefore == FailoverBench.resting)
            #expect(move.resets.count == move.restingBefore)
            #expect(move.resets.allSatisfy { $0 < late }, "\(move.resets)")
            #expect(move.datagrams.map { $0 < late } ?? false, "\(move.datagrams as Any)")
            #expect(move.connection.map { $0 < late } ?? false, "\(move.connection as Any)")
            #expect(move.leftOver == 0)
        }
    }
}
