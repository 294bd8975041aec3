import Base
import Linux
import Testing

@testable import Site

/// Each line of the story, in a site of its own: `docs/behaviour.md` and the README's promises.
@Suite(
    "The story", .enabled(if: Programs.obstacles().isEmpty), .serialized, .timeLimit(.minutes(3)))
struct StoryTests {
    /// Runs chapters in a fresh site in which machine data flows, and expects every promise to be kept.
    private func tell(_ chapters: (Story) async throws -> [Promise]) async throws {
        try await Site.with { site in
            let story = Story(site: site)
            let promises = try await story.dataFlows() + chapters(story)
            for promise in promises {
                #expect(promise.isKept, "\(promise.text): \(promise.figure)")
            }
            #expect(!promises.isEmpty)
        }
    }

    @Test("online: a silent failure moves the traffic, and it comes back")
    func silentFailure() async throws {
        try await tell { story in
            try await story.providerDies(.a, successor: .b) + story.providerReturns(.a)
        }
    }

    @Test("online: two providers die, the second fallback carries")
    func secondFallback() async throws {
        try await tell { story in
            try await story.site.cutSilently(.b)
            return try await story.providerDies(.a, successor: .c)
        }
    }

    @Test("online: a pulled cable is noticed at once")
    func pulledCable() async throws {
        try await tell { try await $0.cableIsPulled(.a, successor: .b) }
    }

    @Test("nothing lost: offline, killed, back, and every record is in the cloud once and in order")
    func offline() async throws {
        try await tell { try await $0.everyProviderDies() + $0.backlogArrives() }
    }

    @Test("closed: an attacker in the office gets nowhere, and the router stays on its list")
    func closed() async throws {
        try await tell { try await $0.attackerTries() + $0.routerStaysOnItsList() }
    }

    @Test("the switch wins: the VPN user reads, the key cuts, the key allows again")
    func keySwitch() async throws {
        try await tell {
            try await $0.remoteUserReads() + $0.keyTurnsOff() + $0.keyTurnsOn()
        }
    }

    @Test("the scan of the closed router sees an open one when there is no firewall")
    func scanCanFail() async throws {
        try await Site.with { site in
            let open = try await Story(site: site).reachableFromOffice()
            // Without the daemon the router's kernel refuses each port by itself: an answer, too.
            #expect(open.count > 0)
        }
    }
}
