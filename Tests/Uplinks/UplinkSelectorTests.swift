import Testing
import Uplinks

@Suite("Uplink selector")
struct UplinkSelectorTests {
    typealias Standing = UplinkSelector.Standing

    @Test("starts with the most preferred link that is there, before any probe")
    func optimisticStart() {
        var selector = UplinkSelector(uplinks: 3)
        #expect(selector.started([.noLink, .untried, .untried]) == [.carry(1)])
        #expect(selector.switches == 0)
    }

    @Test("waits for the first probe of its optimistic choice, and no longer")
    func untried() {
        var selector = UplinkSelector(uplinks: 2)
        _ = selector.started([.untried, .untried])
        #expect(selector.standingChanged(1, to: .up) == [])
        #expect(selector.standingChanged(0, to: .doubtful) == [.carry(1)])
        #expect(selector.standingChanged(0, to: .up) == [.carry(0)])
        #expect(selector.switches == 2)
    }

    @Test("falls back in order of preference, and fails back")
    func fallback() {
        var selector = UplinkSelector(uplinks: 3)
        _ = selector.started([.untried, .untried, .untried])
        for uplink in 0..<3 { #expect(selector.standingChanged(uplink, to: .up) == []) }
        #expect(selector.standingChanged(0, to: .down) == [.carry(1)])
        #expect(selector.standingChanged(1, to: .noLink) == [.carry(2)])
        #expect(selector.standingChanged(0, to: .recovering) == [])
        #expect(selector.standingChanged(0, to: .up) == [.carry(0)])
        #expect(selector.standingChanged(1, to: .up) == [])
    }

    @Test("when all are down the last one keeps the route, and the first answer takes it")
    func allDown() {
        var selector = UplinkSelector(uplinks: 3)
        _ = selector.started([.untried, .untried, .untried])
        _ = selector.standingChanged(0, to: .down)
        _ = selector.standingChanged(1, to: .down)
        #expect(selector.carrying == 0)
        _ = selector.standingChanged(2, to: .up)
        #expect(selector.carrying == 2)
        #expect(selector.standingChanged(2, to: .down) == [])
        #expect(selector.standingChanged(1, to: .recovering) == [.carry(1)])
        // Who answers keeps it, also against a better one that is no further.
        #expect(selector.standingChanged(0, to: .recovering) == [])
        #expect(selector.standingChanged(1, to: .down) == [.carry(0)])
    }

    @Test("a silent link is better than a pulled cable")
    func silentLink() {
        var selector = UplinkSelector(uplinks: 2)
        _ = selector.started([.untried, .untried])
        _ = selector.standingChanged(0, to: .up)
        _ = selector.standingChanged(1, to: .down)
        #expect(selector.standingChanged(0, to: .noLink) == [.carry(1)])
        #expect(selector.standingChanged(1, to: .noLink) == [])
        #expect(selector.carrying == 1)
    }

    @Test("no link at all: nothing to carry, until one appears")
    func noLinks() {
        var selector = UplinkSelector(uplinks: 2)
        #expect(selector.started([.noLink, .noLink]) == [])
        #expect(selector.carrying == nil)
        #expect(selector.standingChanged(1, to: .untried) == [.carry(1)])
    }

    @Test("behaviour 4.13: who wants a login carries only when nobody else works")
    func captive() {
        var selector = UplinkSelector(uplinks: 3)
        _ = selector.started([.untried, .untried, .untried])
        for uplink in 0..<3 { _ = selector.standingChanged(uplink, to: .up) }
        #expect(selector.captivityChanged(0, isCaptive: true) == [.carry(1)])
        #expect(selector.captivityChanged(0, isCaptive: true) == [])
        #expect(selector.standingChanged(1, to: .down) == [.carry(2)])
        // Better a login page than nothing at all, but who answers may get through.
        #expect(selector.standingChanged(2, to: .down) == [.carry(0)])
        #expect(selector.standingChanged(1, to: .recovering) == [.carry(1)])
        #expect(selector.standingChanged(1, to: .down) == [.carry(0)])
        // Also when the last one comes to want a login: it keeps the route.
        #expect(selector.standingChanged(2, to: .up) == [.carry(2)])
        #expect(selector.captivityChanged(2, isCaptive: true) == [])
        #expect(selector.captivityChanged(0, isCaptive: false) == [.carry(0)])
        // It stays so while it is down, and when it is back.
        #expect(selector.captivityChanged(2, isCaptive: false) == [])
        #expect(selector.captivityChanged(1, isCaptive: true) == [])
        #expect(selector.standingChanged(1, to: .up) == [])
        #expect(selector.standingChanged(0, to: .down) == [.carry(2)])
        #expect(selector.captivityChanged(1, isCaptive: false) == [.carry(1)])
    }

    /// Every state that can be reached with three uplinks, and every event in it.
    @Test("in all reachable states the choice is right")
    func wholeStateSpace() throws {
        let all: [Standing] = [.noLink, .untried, .doubtful, .up, .down, .recovering]
        struct Node: Hashable {
            var standings: [Standing]
            var captive: [Bool]
            var carrying: Int?
        }
        var known: [Node: UplinkSelector] = [:]
        var open: [Node] = []
        func visit(_ standings: [Standing], _ captive: [Bool], _ selector: UplinkSelector) {
            let node = Node(standings: standings, captive: captive, carrying: selector.carrying)
            guard known.updateValue(selector, forKey: node) == nil else { return }
            open.append(node)
        }
        for code in 0..<216 {
            let standings = [all[code / 36], all[code / 6 % 6], all[code % 6]]
            var selector = UplinkSelector(uplinks: 3)
            let effects = selector.started(standings)
            #expect(effects.count == (standings.contains { $0 != .noLink } ? 1 : 0))
            visit(standings, [false, false, false], selector)
        }
        var transitions = 0
        while let node = open.popLast() {
            for uplink in 0..<3 {
                // Each standing, and the login page that comes or goes.
                for standing in all + [nil] {
                    guard var selector = known[node] else { continue }
                    var (standings, captive) = (node.standings, node.captive)
                    var effects: [UplinkSelector.Effect] = []
                    if let standing {
                        standings[uplink] = standing
                        effects = selector.standingChanged(uplink, to: standing)
                    } else {
                        captive[uplink].toggle()
                        effects = selector.captivityChanged(uplink, isCaptive: captive[uplink])
                    }
                    transitions += 1
                    let moved = selector.carrying != node.carrying
                    let orders: [UplinkSelector.Effect] =
                        moved ? selector.carrying.map { [.carry($0)] } ?? [] : []
                    try #require(effects == orders)
                    try check(
                        standings, captive, before: node.carrying, after: selector.carrying)
                    visit(standings, captive, selector)
                }
            }
        }
        #expect(transitions > 40_000)
    }

    private func check(
        _ standings: [Standing], _ captive: [Bool], before: Int?, after: Int?
    ) throws {
        if before != nil { try #require(after != nil, "a route was taken away") }
        guard let after else {
            return try #require(standings.allSatisfy { $0 == .noLink })
        }
        let words = "\(standings): \(String(describing: before)) → \(after)"
        if standings[after] == .untried, before == after { return }
        if let up = standings.indices.first(where: { standings[$0] == .up && !captive[$0] }) {
            return try #require(after == up, "\(words)")
        }
        if standings.contains(.recovering) {
            return try #require(standings[after] == .recovering, "\(words)")
        }
        if standings.contains(.up) {
            try #require(standings[after] == .up, "\(words)")
            try #require(before == after || before.map { standings[$0] } != .up, "\(words)")
            return
        }
        if let before, after != before {
            try #require(standings[before] == .noLink, "\(words)")
        }
        if standings.contains(where: { $0 != .noLink }) {
            try #require(standings[after] != .noLink, "\(words)")
        }
    }
}
