import Base
import Glibc
import Linux
import TestSupport
import Testing

@Suite("Pins of public keys")
struct SPKIPinTests {
    @Test("Base64 there and back")
    func text() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let digest = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let pin = SPKIPin(digest: digest)
            #expect(pin.description.utf8.count == 51)
            #expect(SPKIPin(pin.description) == pin)
        }
        #expect(
            SPKIPin(digest: [UInt8](repeating: 0, count: 32)).description
                == "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    }

    @Test(
        "what is no pin",
        arguments: [
            "", "sha256/", "sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
            "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
            "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-=",
        ])
    func refused(text: String) {
        #expect(SPKIPin(text) == nil)
    }
}

@Suite("A private key")
struct PrivateKeyTests {
    @Test("that others may read is told, with what to do")
    func readable() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/device.key"
        try SmallFile.replace(path, with: [1], mode: 0o600)
        #expect(TLSPolicy.complaint(aboutKey: path) == nil)
        chmod(path, 0o644)
        #expect(
            TLSPolicy.complaint(aboutKey: path)
                == "\(path) may be read by others (mode 644); say: chmod 600 \(path)")
        #expect(TLSPolicy.complaint(aboutKey: folder.path + "/none") == nil)
    }
}
