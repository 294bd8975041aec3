import Base
import Linux
import Testing

@testable import Tunnel

@Suite("The tunnel's interface")
struct TunnelDeviceTests {
    @Test(
        "an address that the server gives must be one of vpn.network",
        arguments: ["192.168.140.10", "9.9.9.9"])
    func foreignAddress(_ text: String) throws {
        let device = KernelTunnelDevice(try exampleVPN())
        let error = #expect(throws: SystemError.self) {
            try device.setUp(try #require(IPv4Address(text)))
        }
        #expect(
            "\(try #require(error))".contains(
                "use \(text), which the VPN server gave and vpn.network 10.8.0.0/24 does not contain"
            ))
    }
}
