import Testing

@testable import Console

@Suite("drawbridge switch")
struct SwitchWalkTests {
    private func key(open: Bool, cuts: [Double] = []) -> StatusDocument.KeySwitch {
        var key = StatusDocument.KeySwitch()
        key.position = open ? .on : .off
        key.isGateOpen = open
        key.line = "line \"vpn-switch\" of /dev/gpiochip0"
        key.level = open ? "low" : "high"
        key.sinceSeconds = 59
        key.leaseAgeMilliseconds = open ? 42.7 : nil
        key.cutCount = UInt64(cuts.count)
        key.cuts = cuts.map { .init(secondsAgo: 3, latencyMilliseconds: $0) }
        key.schedule = "real-time"
        key.isMemoryLocked = true
        key.isBrokenWireOff = true
        key.closesWithDaemon = true
        return key
    }

    @Test("position, line, wire, gate, thread and cuts in words")
    func text() {
        #expect(
            SwitchText.render(key(open: true, cuts: [0.042, 1.5])) == """
                Position   on, remote access allowed, for 59 s
                Line       line "vpn-switch" of /dev/gpiochip0 reads low
                Wire       a broken wire reads as off
                Gate       open; lease renewed 42 ms ago; closes with the daemon
                Thread     real-time: before every ordinary program; memory locked
                Cuts       2, from edge to shut gate: 1.50 ms (3 s ago), 0.04 ms (3 s ago)

                """)
    }

    @Test(
        "what a technician must know is said: no real-time rights, an unsafe wire, an unreadable line"
    )
    func warnings() {
        var key = key(open: false)
        key.position = .unknown
        key.reason = "cannot open the GPIO chip /dev/gpiochip0: No such file or directory"
        key.level = nil
        key.schedule = "favoured"
        key.isMemoryLocked = false
        key.isBrokenWireOff = false
        key.closesWithDaemon = false
        let text = SwitchText.render(key)
        for words in [
            "unreadable, remote access closed (cannot open the GPIO chip", "reads nothing",
            "would NOT read as off", "at the end of its lease", "a busy machine may delay a cut",
            "NOT locked", "none since the daemon started",
        ] {
            #expect(text.contains(words), "\(words)")
        }
    }

    @Test("a key that cuts the uplinks: what it cuts is said, and the walk looks at it")
    func uplinks() throws {
        var key = key(open: true)
        key.disables = "wan"
        key.areUplinksOpen = true
        #expect(SwitchText.render(key).contains("on, uplinks open, remote access allowed, for"))
        key.isGateOpen = false
        #expect(SwitchText.render(key).contains("on, uplinks open, remote access closed, for"))
        #expect(key.isAnythingOpen)
        var walk = SwitchWalk(wire: false)
        obey(&walk, key)
        #expect(walk.outcomes.map(\.isPassed) == [true])
        key.areUplinksOpen = false
        #expect(SwitchText.render(key).contains("on, but all uplinks are cut, for"))
        key.position = .off
        #expect(SwitchText.render(key).contains("off, all uplinks cut, for"))
        obey(&walk, key)
        #expect(walk.outcomes.map(\.isPassed) == [true, true])
    }

    /// Shows the walk a switch that is as it should be for as long as it must rest.
    private func obey(_ walk: inout SwitchWalk, _ key: StatusDocument.KeySwitch) {
        for _ in 0..<21 { walk.look(key, elapsed: 50) }
    }

    @Test("the walk: on, off, on, wire off, wire on, off; each must hold for a second")
    func passes() throws {
        var walk = SwitchWalk(wire: true)
        var cuts: [Double] = []
        for opens in [true, false, true, false, true, false] {
            let step = try #require(walk.step)
            #expect(step.opens == opens)
            // As it was before: nothing happens yet.
            walk.look(key(open: !opens, cuts: cuts), elapsed: 50)
            if !opens { cuts.append(0.1) }
            obey(&walk, key(open: opens, cuts: cuts))
        }
        #expect(walk.step == nil && walk.isPassed && walk.outcomes.count == 6)
        #expect(walk.outcomes[1].seen == "gate shut 0.10 ms after the edge")
        let report = walk.report(
            device: "press-line-4", version: "1", date: "2026-01-02 03:04:05 UTC",
            switch: key(open: false, cuts: cuts))
        #expect(report.contains("Result    PASSED") && report.contains("2026-01-02"))
    }

    @Test("a slow cut fails, and so does a step that nobody does in time")
    func fails() {
        var walk = SwitchWalk(wire: false)
        obey(&walk, key(open: true))
        walk.look(key(open: true), elapsed: 50)
        obey(&walk, key(open: false, cuts: [7]))
        #expect(walk.outcomes.last?.isPassed == false)
        walk.look(key(open: false, cuts: [7]), elapsed: SwitchWalk.patienceMilliseconds)
        // It has been as it was for all that time.
        #expect(walk.outcomes.last?.isPassed == false)
        #expect(walk.outcomes.last?.seen.contains("not within 120 s") == true)
        obey(&walk, key(open: false, cuts: [7]))
        #expect(walk.step == nil && !walk.isPassed)
        #expect(
            walk.report(device: "d", version: "1", date: "x", switch: key(open: false))
                .contains("NOT PASSED"))
    }
}
