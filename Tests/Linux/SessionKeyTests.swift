import Base
import Linux
import TestSupport
import Testing

@Suite("Session keys", .timeLimit(.minutes(1)))
struct SessionKeyTests {
    /// An authority and a device, as files.
    private func makePKI(_ folder: TemporaryFolder) async throws {
        for name in ["ca", "device"] {
            try await openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(name)-7"
                    + " -keyout \(folder.path)/\(name).key -out \(folder.path)/\(name).pem")
        }
    }

    @discardableResult
    private func openssl(_ arguments: String) async throws -> String {
        let result = try await Command.run(
            ["/usr/bin/openssl"] + arguments.split(separator: " ").map(String.init))
        try #require(result.exit.isSuccess, "openssl \(arguments): \(result.error)")
        return result.output
    }

    /// A "certs-only" message for the key, from the authority; `more` go with it.
    private func certify(
        _ key: SessionKey, _ folder: TemporaryFolder, more: [String] = []
    ) async throws -> [UInt8] {
        let path = folder.path
        try SmallFile.replace(
            path + "/request", with: try key.request(forSubjectOf: path + "/device.pem"))
        try await openssl(
            "x509 -req -inform DER -in \(path)/request -days 1 -set_serial 0x4f2a -CA \(path)/ca.pem"
                + " -CAkey \(path)/ca.key -out \(path)/session.pem")
        try await openssl(
            "crl2pkcs7 -nocrl -outform DER -out \(path)/answer -certfile \(path)/session.pem"
                + more.map { " -certfile \(path)/\($0)" }.joined())
        return try SmallFile.read(path + "/answer", bytesMax: 65536)
    }

    @Test("a request is signed, and for the subject of the router's certificate")
    func request() async throws {
        let folder = try TemporaryFolder()
        try await makePKI(folder)
        let request = try SessionKey().request(forSubjectOf: folder.path + "/device.pem")
        try SmallFile.replace(folder.path + "/request", with: request)
        let text = try await openssl(
            "req -inform DER -in \(folder.path)/request -noout -subject -text -verify")
        #expect(text.contains("subject=CN = device-7"))
        #expect(text.contains("ASN1 OID: prime256v1"))
        #expect(throws: TLSProblem.self) {
            try SessionKey().request(forSubjectOf: folder.path + "/device.key")
        }
        #expect(throws: TLSProblem.self) { try SessionKey().request(forSubjectOf: "/nowhere") }
    }

    @Test("the certificate is found among others, and only for its own key")
    func certificate() async throws {
        let folder = try TemporaryFolder()
        try await makePKI(folder)
        let key = try SessionKey()
        let answer = try await certify(key, folder, more: ["ca.pem", "device.pem"])
        let certificate = try SessionCertificate(certsOnly: answer, for: key)
        #expect(certificate.serial == "4f2a")
        let day = certificate.notAfter.milliseconds - certificate.notBefore.milliseconds
        #expect(day == 86_400_000)
        // Authorities sign themselves, and whoever checks has them.
        #expect(certificate.pem == (try SmallFile.readText(folder.path + "/session.pem")))
        #expect(throws: TLSProblem(part: .certificate, why: "it is for another key than ours")) {
            try SessionCertificate(certsOnly: answer, for: try SessionKey())
        }
        let crowd = try await certify(
            key, folder, more: [String](repeating: "ca.pem", count: 4))
        #expect(throws: TLSProblem(part: .certificate, why: "5 certificates are in it")) {
            try SessionCertificate(certsOnly: crowd, for: key)
        }
    }

    @Test("what the key signs, its certificate confirms")
    func signature() async throws {
        let folder = try TemporaryFolder()
        try await makePKI(folder)
        let key = try SessionKey()
        _ = try await certify(key, folder)
        let digest = [UInt8](repeating: 7, count: 32)
        try SmallFile.replace(folder.path + "/digest", with: digest)
        try SmallFile.replace(folder.path + "/signature", with: try key.sign(digest: digest))
        let verdict = try await openssl(
            "pkeyutl -verify -certin -inkey \(folder.path)/session.pem -in \(folder.path)/digest"
                + " -sigfile \(folder.path)/signature")
        #expect(verdict.contains("Signature Verified Successfully"))
        // Whatever OpenVPN may ask for: an error or a signature, never a crash.
        for count in [0, 1, 20, 33, 64, 2000] {
            _ = try? key.sign(digest: [UInt8](repeating: 1, count: count))
        }
    }

    @Test("20,000 damaged answers: a certificate or an error")
    func fuzz() async throws {
        let folder = try TemporaryFolder()
        try await makePKI(folder)
        let key = try SessionKey()
        let answer = try await certify(key, folder)
        var random = SeededGenerator(seed: 7030)
        var taken = 0
        for _ in 0..<20_000 {
            var bytes = answer
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes = Array(bytes[..<max(1, index)])
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
                default: bytes[index] = UInt8.random(in: 0...255, using: &random)
                }
            }
            if (try? SessionCertificate(certsOnly: bytes, for: key)) != nil { taken += 1 }
        }
        #expect(taken < 20_000)
        #expect(throws: TLSProblem.self) { try SessionCertificate(certsOnly: [], for: key) }
    }
}
