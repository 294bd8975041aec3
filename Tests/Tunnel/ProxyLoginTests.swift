import Glibc
import Linux
import TestSupport
import Testing

@testable import Tunnel

@Suite("login for a proxy")
struct ProxyLoginTests {
    @Test("two lines, and what the management interface would take for its own is quoted")
    func commands() throws {
        let login = try #require(ProxyLogin(file: Array("CORP\\press 4\r\na \"b\" c\n".utf8)))
        #expect(login.user == "CORP\\press 4" && login.password == "a \"b\" c")
        #expect(
            login.commands(for: "HTTP Proxy") == [
                #"username "HTTP Proxy" "CORP\\press 4""#,
                #"password "HTTP Proxy" "a \"b\" c""#,
            ])
    }

    @Test(
        "what is not two lines of text is none",
        arguments: [
            "", "\n", "user", "user\n", "user\n\n", "\nsecret\n", "user\nsecret\nmore\n",
            "us\u{1}er\nsecret", "user\nsec\u{7f}ret",
            "user\n" + String(repeating: "x", count: 128),
        ])
    func wrong(text: String) {
        #expect(ProxyLogin(file: Array(text.utf8)) == nil)
    }

    @Test("no bytes whatever make a command of more than one line")
    func fuzz() {
        var random = SeededGenerator(seed: 5)
        var taken = 0
        for _ in 0..<20_000 {
            let alphabet: [UInt8] = [10, 13, 34, 92, 0, 32, 97, 98, 200, 255]
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            guard let login = ProxyLogin(file: bytes) else { continue }
            taken += 1
            for command in login.commands(for: "SOCKS Proxy") {
                #expect(!command.utf8.contains(10) && command.hasSuffix("\""))
            }
        }
        #expect(taken > 50)
    }

    @Test("a file that others may read, or that is missing, is refused with what to do")
    func file() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/login"
        func problem() -> String {
            do throws(ProxyLoginProblem) {
                _ = try ProxyLogin(path: path)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(problem().contains("cannot read vpn.proxy-login") && problem().contains("No such"))
        for (mode, isPrivate) in [
            (0o600, true), (0o640, false), (0o400, true), (0o644, false), (0o660, false),
            (0o604, false),
        ] {
            try SmallFile.replace(path, with: Array("user\nsecret\n".utf8), mode: UInt32(mode))
            #expect(chmod(path, mode_t(mode)) == 0)
            #expect(problem().isEmpty == isPrivate, "\(String(mode, radix: 8)): \(problem())")
            #expect(!problem().contains("secret"))
        }
    }
}
