import Base
import Glibc
import Linux
import TestSupport
import Testing

/// A simulated GPIO chip of eight lines, line 3 named `vpn-switch`, and the folder of one test.
final class FakeChip: Sendable {
    let folder: String
    private let temporary: TemporaryFolder
    private let server: ChildProcess

    /// Where the build puts programs and libraries: beside the running test.
    static let products: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        let text = String(decoding: path, as: UTF8.self)
        return text.lastIndex(of: "/").map { String(text[..<$0]) } ?? "."
    }()

    init() async throws {
        temporary = try TemporaryFolder()
        folder = temporary.path
        server = try ChildProcess([
            Self.products + "/fakegpiod", "-d", folder, "-n", "8", "-l", "3=vpn-switch", "-l",
            "4=vpn-remote",
        ])
        let deadline = SystemClock().now() + .seconds(10)
        while access(folder + "/state", F_OK) != 0, SystemClock().now() < deadline {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Gives the chip an order, such as `line 3 1`, and returns once it is carried out.
    func order(_ text: String) async throws {
        let result = try await Command.run([
            Self.products + "/fakegpiod", "-d", folder, "-c", text,
        ])
        try #require(result.exit.isSuccess, "\(text): \(result.error)")
    }

    func remove() async {
        _ = await server.stop(grace: .seconds(1))
    }

    /// Runs a test with a chip and the kill switch on it; ends both, also when the test fails.
    static func withSwitch(
        line: String = "vpn-switch", first: [String] = [], more: [String] = [],
        _ body: (FakeChip, SwitchProcess) async throws -> Void
    ) async throws {
        let chip = try await FakeChip()
        do {
            for text in first { try await chip.order(text) }
            let probe = try SwitchProcess(chip: chip, line: line, more)
            do {
                try await body(chip, probe)
            } catch {
                _ = await probe.child.stop(grace: .zero)
                throw error
            }
            _ = await probe.child.stop(grace: .zero)
        } catch {
            await chip.remove()
            throw error
        }
        await chip.remove()
    }
}

/// The real kill switch on the real libgpiod, in a process that sees the simulated chip.
final class SwitchProcess {
    /// What it did, and when.
    struct Line: Equatable, Sendable {
        var at: Instant
        var text: String
    }

    static let debounce = Duration.milliseconds(50)
    let child: ChildProcess
    /// While this file exists, the firewall refuses every order.
    let broken: String
    private(set) var lines: [Line] = []
    private var rest: [UInt8] = []

    init(chip: FakeChip, line: String, _ more: [String] = []) throws {
        broken = chip.folder + "/broken"
        child = try ChildProcess(
            [
                FakeChip.products + "/killswitch-probe", "/dev/gpiochip0", line, "low",
                "pull-down", "50ms", broken,
            ] + more,
            environment: [
                "LD_PRELOAD": FakeChip.products + "/libfakegpio.so",
                "FAKEGPIO_SOCK": chip.folder + "/sock",
            ],
            input: .pipe, output: .pipe, error: .inherit(2))
    }

    /// Waits for the next line that begins with `text`, at most ten seconds, and returns all up to it.
    @discardableResult
    func next(_ text: String, _ location: SourceLocation = #_sourceLocation) async throws -> [Line]
    {
        let deadline = SystemClock().now() + .seconds(10)
        while true {
            if let index = lines.firstIndex(where: { $0.text.hasPrefix(text) }) {
                let seen = Array(lines[...index])
                lines.removeFirst(index + 1)
                return seen
            }
            let outcome = try await Reactor.shared.wait(
                for: .readable, on: child.standardOutput.raw, until: deadline)
            let bytes = outcome == .ready ? try child.standardOutput.read(atMost: 4096) : []
            try #require(
                !bytes.isEmpty, "no \"\(text)\" after \(lines.map(\.text))",
                sourceLocation: location)
            take(bytes)
        }
    }

    private func take(_ bytes: [UInt8]) {
        rest += bytes
        while let end = rest.firstIndex(of: 10) {
            let parts = String(decoding: rest[..<end], as: UTF8.self).split(
                separator: " ", maxSplits: 1)
            rest.removeFirst(end + 1)
            guard parts.count == 2, let nanoseconds = Int64(parts[0]) else { continue }
            lines.append(Line(at: Instant(nanoseconds: nanoseconds), text: String(parts[1])))
        }
    }
}
