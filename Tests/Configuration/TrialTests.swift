import Base
import Linux
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Configuration

/// A change on trial: proven, confirmed by hand, or taken back.
@Suite("config: changes on trial", .timeLimit(.minutes(1)))
struct TrialTests {
    /// Notes what it is told; the trial's proof is the test's to give.
    final class FakeHouse: ConfiguredHouse {
        struct State {
            var log: [String] = []
            var isProven = false
            var time: Duration? = .milliseconds(700)
            var fails = false
        }
        let state = Mutex(State())
        struct Refusal: Error {}

        func trial(from old: Settings, to new: Settings) -> Duration? {
            old.firewall == new.firewall ? nil : state.withLock { $0.time }
        }
        func apply(
            _ settings: Settings, onTrialFor time: Duration?
        ) async throws -> AppliedConfiguration {
            try state.withLock { state in
                if state.fails { throw Refusal() }
                state.log.append(
                    "\(settings.firewall.lanToWAN) \(time == nil ? "for good" : "on trial")")
            }
            return AppliedConfiguration(
                touched: ["firewall"], trialEnds: time.map { SystemClock().now() + $0 })
        }
        func hasProvenItself() async -> Bool { state.withLock { $0.isProven } }
        func confirm() async throws { state.withLock { $0.log.append("confirm") } }
        var log: [String] { state.withLock { $0.log } }
    }

    let folder: TemporaryFolder
    let house = FakeHouse()
    let history: ConfigurationHistory
    let service: ConfigurationService
    private let good: String
    private var file: String { folder.path + "/drawbridge.toml" }

    init() throws {
        folder = try TemporaryFolder()
        good = """
            [device]
            name = "a"
            state = "\(folder.path)/state"
            [[uplink]]
            name = "wan"
            interface = "eth0"
            [lan]
            network = "192.168.140.0/24"
            [dns]
            servers = ["9.9.9.9"]
            [cloud]
            broker = "mqtts://mqtt.ixon.net:443"

            """
        history = ConfigurationHistory(stateDirectory: folder.path + "/state")
        let file = folder.path + "/drawbridge.toml"
        try SmallFile.replace(file, with: Array(good.utf8))
        let start = try Settings.loadWithSources(file: file)
        service = ConfigurationService(
            file: file, running: start.sources, settings: start.settings, history: history,
            clock: SystemClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            tell: { _ in })
    }

    private func change(_ comment: String = "") throws {
        let text = good + comment + "[firewall]\nlan-to-wan = \"both\"\n"
        try SmallFile.replace(file, with: Array(text.utf8))
        service.reload()
    }

    private func until(_ condition: (ConfigurationStatus) -> Bool) async throws -> Bool {
        for _ in 0..<400 {
            if condition(await service.status()) { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    private func running(_ body: () async throws -> Void) async throws {
        let (service, house) = (service, house)
        let task = Task { try await service.run(house) }
        defer { task.cancel() }
        #expect(try await until { $0.number == 1 })
        try await body()
    }

    @Test("behaviour 5.5: what proves itself stays, and is kept in the history only then")
    func proven() async throws {
        try await running {
            try change()
            #expect(try await until { $0.trialEnds != nil })
            #expect(!history.unconfirmed().isEmpty && history.entries().count == 1)
            house.state.withLock { $0.isProven = true }
            #expect(try await until { $0.number == 2 && $0.trialEnds == nil })
            #expect(history.unconfirmed().isEmpty)
            #expect(house.log == ["both on trial", "confirm"])
        }
    }

    @Test("behaviour 5.5: what does not is taken back, told, and not tried again by itself")
    func takenBack() async throws {
        try await running {
            try change()
            #expect(try await until { $0.refused.first?.contains("not confirmed") ?? false })
            #expect(house.log == ["both on trial", "neither for good"])
            service.reload()
            try await Task.sleep(for: .milliseconds(500))
            #expect(house.log.count == 2)
            #expect(!history.unconfirmed().isEmpty)
            try change("# now\n")
            #expect(try await until { $0.trialEnds != nil })
        }
    }

    @Test("behaviour 5.2: the state does not move while the daemon runs, and the line is named")
    func movedState() async throws {
        try await running {
            let text = good.replacing("\(folder.path)/state", with: "\(folder.path)/other")
            try SmallFile.replace(file, with: Array(text.utf8))
            service.reload()
            #expect(try await until { !$0.refused.isEmpty })
            let refused = await service.status().refused
            #expect(refused.first?.hasPrefix("\(file):3:1: device.state: ") ?? false, "\(refused)")
            #expect(house.log.isEmpty)
        }
    }

    @Test("behaviour 5.5: a person on site confirms; without a trial there is nothing to confirm")
    func byHand() async throws {
        try await running {
            await #expect(throws: ConfirmationError.nothingOnTrial) { try await service.confirm() }
            house.state.withLock { $0.time = .seconds(20) }
            try change()
            #expect(try await until { $0.trialEnds != nil })
            #expect(try await service.confirm() == "confirmed: config 2 is in force for good")
        }
    }

    @Test("behaviour 5.5: the file before, put back during the trial, ends it at once")
    func putBack() async throws {
        try await running {
            house.state.withLock { $0.time = .seconds(20) }
            try change()
            #expect(try await until { $0.trialEnds != nil })
            try SmallFile.replace(file, with: Array(good.utf8))
            #expect(try await until { $0.trialEnds == nil })
            #expect(house.log == ["both on trial", "neither for good"])
            #expect(history.entries().count == 1 && history.unconfirmed().isEmpty)
        }
    }

    @Test("behaviour 5.5: what was taken back is tried again when it is put there once more")
    func onceMore() async throws {
        try await running {
            try change()
            #expect(try await until { $0.refused.first?.contains("not confirmed") ?? false })
            try SmallFile.replace(file, with: Array(good.utf8))
            #expect(try await until { $0.refused.isEmpty })
            house.state.withLock { $0.isProven = true }
            try change()
            #expect(try await until { $0.number == 2 && $0.trialEnds == nil })
            #expect(history.unconfirmed().isEmpty)
        }
    }

    @Test("behaviour 5.5: what cannot be taken back at once is tried again")
    func stubborn() async throws {
        try await running {
            try change()
            #expect(try await until { $0.trialEnds != nil })
            house.state.withLock { $0.fails = true }
            try await Task.sleep(for: .milliseconds(900))
            #expect(await service.status().trialEnds != nil)
            house.state.withLock { $0.fails = false }
            #expect(try await until { $0.trialEnds == nil })
            #expect(house.log.last == "neither for good")
        }
    }
}
