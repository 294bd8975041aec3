import Settings
import Testing

@testable import Site
@testable import drawbridge

@Suite("drawbridge check")
struct CheckTests {
    @Test("tells once what the file names and the machine does not have")
    func notes() throws {
        let settings = try Settings.load(file: Programs.sourceRoot + "/etc/drawbridge.toml")
        #expect(CheckCommand.notes(settings, file: { _ in true }, interface: { _ in true }) == [])
        let notes = CheckCommand.notes(
            settings, file: { !$0.hasSuffix("device.key") && !$0.hasSuffix("gpiochip0") },
            interface: { $0 != "wlan0" })
        #expect(
            notes == [
                "not on this machine: /etc/drawbridge/pki/device.key",
                "not on this machine: /dev/gpiochip0",
                "not on this machine: interface wlan0",
            ])
    }
}
