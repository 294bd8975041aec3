import Linux
import TestSupport
import Testing

@Suite("key switch: a line of a real GPIO driver, in a kernel of its own")
struct RealLineTests {
    @Test(
        "the key is read through the kernel's own driver, by name, in both positions",
        .enabled(if: Kernel.isAvailable, Comment(rawValue: Kernel.isMissing)))
    func followsTheLine() async throws {
        let result = try await Kernel.run(
            """
            mkfifo /run/input
            \(FakeChip.products)/killswitch-probe /dev/gpiochip0 vpn-switch low pull-down 50ms /run/broken \
                < /run/input > /run/said &
            exec 3> /run/input
            heard() { timeout 20 sh -c "until grep -q '$1' /run/said; do sleep 0.02; done"; }
            heard 'event closed: the key is off' || exit 1
            echo pull-up > /run/gpio/vpn-switch
            heard 'event allowed' || exit 2
            : > /run/said
            echo pull-down > /run/gpio/vpn-switch
            heard 'event closed: the key is off' || exit 3
            exec 3>&-
            heard ended
            """,
            lines: "8,3=vpn-switch")
        #expect(result.exit.isSuccess, "\(result.exit): \(result.output) \(result.error)")
    }
}
