import TestSupport
import Testing

@testable import Linux

@Suite("Ed25519 signatures")
struct Ed25519Tests {
    private func bytes(_ hex: String) -> [UInt8] {
        var digits = Array(hex)[...]
        var bytes: [UInt8] = []
        while digits.count >= 2 {
            bytes.append(UInt8(String(digits.prefix(2)), radix: 16) ?? 0)
            digits = digits.dropFirst(2)
        }
        return bytes
    }

    @Test("the example of RFC 8032 §7.1, and each of its bits")
    func standard() {
        let key = Ed25519PublicKey(
            raw: bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
        let signature = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        #expect(key.hasSigned([0x72], signature))
        #expect(!key.hasSigned([0x73], signature))
        #expect(!key.hasSigned([], signature))
        #expect(!key.hasSigned([0x72], Array(signature.dropLast())))
        for bit in 0..<signature.count * 8 {
            var changed = signature
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(!key.hasSigned([0x72], changed), "bit \(bit)")
        }
    }

    @Test("what we sign, openssl verifies, and it says the same fingerprint")
    func asOthersDo() async throws {
        let folder = try TemporaryFolder()
        func openssl(_ words: String) async throws -> String {
            let result = try await Command.run([
                "/bin/sh", "-ec", "cd \(folder.path); \(words)",
            ])
            try #require(result.exit == .status(0), "\(result.error)")
            return result.output
        }
        _ = try await openssl(
            "/usr/bin/openssl genpkey -algorithm ed25519 -out k; /usr/bin/openssl pkey -in k -pubout -out p"
        )
        let key = try Ed25519PrivateKey(folder.path + "/k")
        let keys = try Ed25519PublicKey.all(
            inPEM: SmallFile.read(folder.path + "/p"), most: 1)
        #expect(keys == [key.publicKey])
        try SmallFile.replace(folder.path + "/m", with: Array("a config".utf8))
        try SmallFile.replace(folder.path + "/s", with: key.sign(Array("a config".utf8)))
        let said = try await openssl(
            "/usr/bin/openssl pkeyutl -verify -pubin -inkey p -rawin -in m -sigfile s")
        #expect(said.contains("Verified Successfully"))
        let digest = try await openssl(
            "/usr/bin/openssl pkey -pubin -in p -outform DER | /usr/bin/sha256sum")
        #expect(key.publicKey.fingerprint == "SHA256:" + digest.prefix(16))
    }
}
