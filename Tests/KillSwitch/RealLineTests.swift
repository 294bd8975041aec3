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

    @Test(
        "three positions on two lines of the kernel's own driver, both closed is shut, and a time limit",
        .enabled(if: Kernel.isAvailable, Comment(rawValue: Kernel.isMissing)))
    func threePositions() async throws {
        let result = try await Kernel.run(
            """
            mkfifo /run/input
            echo pull-down > /run/gpio/vpn-switch
            echo pull-down > /run/gpio/vpn-remote
            \(FakeChip.products)/killswitch-probe /dev/gpiochip0 vpn-switch low as-is 50ms /run/broken \
                wan 2s vpn-remote < /run/input > /run/said &
            exec 3> /run/input
            heard() { timeout 20 sh -c "until grep -q '$1' /run/said; do sleep 0.02; done"; }
            heard 'event closed: the key is off' || exit 1
            sleep 0.3
            : > /run/said
            echo pull-up > /run/gpio/vpn-switch
            heard 'event online: the key is at online' || exit 2
            grep -q 'gate open' /run/said && exit 3
            echo pull-up > /run/gpio/vpn-remote
            heard 'both read as closed contacts' || exit 4
            : > /run/said
            echo pull-down > /run/gpio/vpn-switch
            heard 'event allowed' || exit 5
            heard 'remote closed' || exit 6
            heard 'event online: remote access was allowed for 2s' || exit 7
            : > /run/said
            echo pull-down > /run/gpio/vpn-remote
            heard 'event closed: the key is off' || exit 8
            exec 3>&-
            heard ended
            """,
            lines: "8,3=vpn-switch,4=vpn-remote")
        #expect(result.exit.isSuccess, "\(result.exit): \(result.output) \(result.error)")
    }
}
