import Settings
import Testing

@testable import drawbridge

/// Which changes may not stay unless they prove themselves.
@Suite("Changes on trial")
struct TrialPlanTests {
    private func settings(_ key: String) throws -> Settings {
        try Settings.parse(
            """
            [device]
            name = "a"
            [[uplink]]
            name = "wan"
            interface = "eth0"
            [lan]
            network = "192.168.140.0/24"
            [dns]
            servers = ["9.9.9.9"]
            [cloud]
            broker = "mqtts://mqtt.ixon.net:443"
            [switch]
            chip = "/dev/gpiochip0"
            line = 17
            \(key)

            """)
    }

    @Test("behaviour 5.5: where the key cuts the uplinks, its own settings are on trial, too")
    func keyThatCutsUplinks() throws {
        let wan = try settings("disables = \"wan\"")
        let inverted = try settings("disables = \"wan\"\nwhen = \"low\"")
        #expect(wan.keySwitch?.offLevel != inverted.keySwitch?.offLevel)
        #expect(House.trial(from: wan, to: inverted) == wan.firewall.trial)
        #expect(House.trial(from: wan, to: wan) == nil)
    }

    @Test("behaviour 5.5: a key that cuts the VPN alone cannot cut the cloud session off")
    func keyThatCutsTheVPN() throws {
        let vpn = try settings("disables = \"vpn\"")
        let inverted = try settings("disables = \"vpn\"\nwhen = \"low\"")
        #expect(House.trial(from: vpn, to: inverted) == nil)
    }
}
