import Base
import Linux
import Site
import TestSupport
import Testing

@Suite("sites: the key on a real GPIO driver, in a kernel of its own")
struct KernelTurnsTests {
    /// What `scripts/kernel/run` ends with when the kernel has hung.
    private static let timedOut: Int32 = 124
    private static let attemptsMax = 3

    @Test(
        "turns and faults by seed: never open for longer than the debounce time and 5 ms",
        .enabled(if: Kernel.isAvailable, Comment(rawValue: Kernel.isMissing)))
    func turns() async throws {
        let programs = try Programs.besideThisExecutable()
        var result: Command.Result
        var attempts = 0
        repeat {
            attempts += 1
            result = try await Kernel.run(
                "\(programs.site) turns --count 12 --seed 5", lines: "8,3=vpn-switch",
                timeout: .seconds(100))
            // User-mode Linux now and then faults for ever when a chip is taken away whose lines are in use; a gate
            // that is open for too long, or does not open again, ends the run with another status.
        } while result.exit == .status(Self.timedOut) && attempts < Self.attemptsMax
        #expect(result.exit.isSuccess, "\(result.exit): \(result.output) \(result.error)")
    }
}
