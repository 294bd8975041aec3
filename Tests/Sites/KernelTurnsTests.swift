import Base
import Linux
import Site
import TestSupport
import Testing

@Suite("sites: the key on a real GPIO driver, in a kernel of its own")
struct KernelTurnsTests {
    @Test(
        "turns and faults by seed: never open for longer than the debounce time and 5 ms",
        .enabled(if: Kernel.isAvailable, Comment(rawValue: Kernel.isMissing)))
    func turns() async throws {
        let programs = try Programs.besideThisExecutable()
        let result = try await Kernel.run(
            "\(programs.site) turns --count 12 --seed 5", lines: "8,3=vpn-switch",
            timeout: .seconds(180))
        #expect(result.exit.isSuccess, "\(result.exit): \(result.output) \(result.error)")
    }
}
