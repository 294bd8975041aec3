import Base
import Glibc
import Linux
import Settings
import Testing

@testable import KillSwitch

@Suite("key switch: the real libgpiod on a simulated chip", .serialized)
struct KillSwitchServiceTests {
    @Test("the key allows after the debounce time and cuts at once, the gate before the events")
    func followsTheKey() async throws {
        try await FakeChip.withSwitch { chip, probe in
            let first = try await probe.next("event closed: the key is off")
            #expect(first.first?.text == "gate closed")
            #expect(!first.contains { $0.text == "gate open" })

            let turned = SystemClock().now()
            try await chip.order("line 3 1")
            let opened = try await probe.next("event allowed")
            let open = try #require(opened.first { $0.text == "gate open" })
            #expect(open.at - turned >= SwitchProcess.debounce)
            // The lease is renewed while the key is on.
            for _ in 0..<4 { try await probe.next("gate open") }

            try await chip.order("line 3 0")
            let closed = try await probe.next("event closed: the key is off")
            #expect(closed.last { $0.text.hasPrefix("gate") }?.text == "gate closed")
        }
    }

    @Test(
        "a gate that is shut is shut again each second: rules that others load may hold an open one"
    )
    func shutAgain() async throws {
        try await FakeChip.withSwitch { _, probe in
            try await probe.next("event closed: the key is off")
            for _ in 0..<2 { try await probe.next("gate closed") }
        }
    }

    @Test("a bounce cuts at its first edge, and the gate stays shut until the wire is quiet")
    func bounce() async throws {
        try await FakeChip.withSwitch(first: ["line 3 1"]) { chip, probe in
            try await probe.next("event allowed")
            // 40 changes, 2 ms apart at least; more than the kernel's queue holds; ends where it began.
            let begun = SystemClock().now()
            try await chip.order("bounce 3 40 2000")
            try await probe.next("gate closed")
            let reopened = try #require(try await probe.next("gate open").last)
            #expect(reopened.at - begun >= .milliseconds(39 * 2) + SwitchProcess.debounce)
        }
    }

    @Test("a name that the chip does not have: closed, with the name")
    func unknownLine() async throws {
        try await FakeChip.withSwitch(line: "no-such-line") { _, probe in
            try await probe.next(
                "event closed: /dev/gpiochip0 has no line named \"no-such-line\"")
        }
    }

    @Test("a line by its number")
    func byNumber() async throws {
        try await FakeChip.withSwitch(line: "5", first: ["line 5 1"]) { _, probe in
            try await probe.next("event allowed")
        }
    }

    @Test("a line that somebody else holds: closed, with the holder, until it is free")
    func busyLine() async throws {
        try await FakeChip.withSwitch(first: ["line 3 1", "busy 3 hog"]) { chip, probe in
            let seen = try await probe.next(
                "event closed: line \"vpn-switch\" of /dev/gpiochip0 is held by \"hog\"")
            #expect(!seen.contains { $0.text == "gate open" })
            try await chip.order("free 3")
            try await probe.next("event allowed")
        }
    }

    @Test("a chip that is pulled out: closed; back again: the key has to settle anew")
    func unplug() async throws {
        try await FakeChip.withSwitch(first: ["line 3 1"]) { chip, probe in
            try await probe.next("event allowed")
            try await chip.order("unplug")
            try await probe.next("gate closed")
            try await probe.next("event closed: cannot open the GPIO chip /dev/gpiochip0")
            try await chip.order("plug")
            try await probe.next("event allowed")
        }
    }

    @Test("a level that cannot be read: closed, with the reason; then tried again")
    func unreadable() async throws {
        try await FakeChip.withSwitch(first: ["line 3 1"]) { chip, probe in
            try await probe.next("event allowed")
            try await chip.order("fail getvalues 5")
            try await probe.next("gate closed")
            try await probe.next(
                "event closed: cannot read line \"vpn-switch\" of /dev/gpiochip0: Input/output")
            try await probe.next("event allowed")
        }
    }

    @Test("a gate that refuses is not called open, and is asked again")
    func refusingGate() async throws {
        try await FakeChip.withSwitch(first: ["line 3 1"]) { _, probe in
            try await probe.next("event allowed")
            try SmallFile.replace(probe.broken, with: [])
            try await probe.next("gate refused")
            try await probe.next("event closed: cannot keep the firewall's gate open")
            unlink(probe.broken)
            try await probe.next("gate closed")
            try await probe.next("event allowed")
        }
    }

    @Test("a turn is good for the limit; the uplinks stay open after it, if the key cuts them")
    func limit() async throws {
        try await FakeChip.withSwitch(more: ["wan", "1s"]) { chip, probe in
            try await probe.next("event closed: the key is off")
            try await Task.sleep(for: .milliseconds(200))
            try await chip.order("line 3 1")
            let opened = try #require(try await probe.next("gate open").last)
            let ended = try #require(try await probe.next("remote closed").last)
            #expect(ended.at - opened.at >= .seconds(1) && ended.at - opened.at < .seconds(2))
            try await probe.next("event online: remote access was allowed for 1s: turn the key off")
            let later = try await probe.next("gate online") + probe.next("gate online")
            #expect(!later.contains { $0.text == "gate open" || $0.text == "gate closed" })
            try await chip.order("line 3 0")
            try await probe.next("gate closed")
            try await probe.next("event closed: the key is off")
            try await Task.sleep(for: .milliseconds(200))
            try await chip.order("line 3 1")
            try await probe.next("event allowed")
        }
    }

    @Test("three positions on two lines; both contacts closed, or one line lost, is closed")
    func threePositions() async throws {
        try await FakeChip.withSwitch(more: ["wan", "1h", "vpn-remote"]) { chip, probe in
            try await probe.next("event closed: the key is off")
            try await Task.sleep(for: .milliseconds(200))
            try await chip.order("line 3 1")
            try await probe.next("event online: the key is at online, not at remote")
            let seen = try await probe.next("gate online") + probe.next("gate online")
            #expect(!seen.contains { $0.text == "gate open" })
            try await chip.order("line 4 1")
            try await probe.next("gate closed")
            try await probe.next(
                "event closed: lines \"vpn-switch\" and \"vpn-remote\" of /dev/gpiochip0 both read")
            try await chip.order("line 3 0")
            try await probe.next("event allowed")
            try await chip.order("line 4 0")
            try await probe.next("gate closed")
            try await chip.order("line 3 1")
            try await probe.next("event online")
            try await chip.order("unplug")
            try await probe.next("gate closed")
            try await chip.order("busy 4 hog")
            try await chip.order("plug")
            try await probe.next(
                "event closed: line \"vpn-remote\" of /dev/gpiochip0 is held by \"hog\"")
            try await chip.order("free 4")
            try await probe.next("event online")
        }
    }

    @Test("the end of the service shuts the gate")
    func endShuts() async throws {
        try await FakeChip.withSwitch(first: ["line 3 1"]) { _, probe in
            try await probe.next("event allowed")
            probe.child.closeStandardInput()
            let seen = try await probe.next("ended")
            #expect(seen.last { $0.text.hasPrefix("gate") }?.text == "gate closed")
            #expect(await probe.child.waitForExit().isSuccess)
        }
    }

    @Test("a broken wire reads as off only when it is pulled to the off level")
    func brokenWire() {
        func isOff(_ bias: Settings.KeySwitch.Bias, _ off: Settings.KeySwitch.Level) -> Bool {
            Settings.KeySwitch(
                chip: "", line: .offset(0), offLevel: off, bias: bias, debounce: .zero
            ).brokenWireIsOff
        }
        #expect(isOff(.pullUp, .high) && isOff(.pullDown, .low))
        #expect(!isOff(.pullUp, .low) && !isOff(.pullDown, .high))
        #expect(!isOff(.asIs, .low) && !isOff(.disabled, .high))
    }
}
