import Base
import Settings
import TestSupport
import Testing
import Uplinks

@Suite("Answers to a login check")
struct CheckAnswerTests {
    private func page() throws -> Settings.CheckPage {
        let host = try #require(DomainName("connectivity.example"))
        return Settings.CheckPage(
            endpoint: .init(host: host, port: TransportPort(.tcp, 80)), path: "/generate_204")
    }

    private func finding(_ text: String) throws -> PortalWatch.Finding? {
        CheckAnswer(Array(text.utf8))?.finding(for: try page())
    }

    private func login(_ text: String) throws -> String {
        guard case .captive(let words) = try finding(text) else { return "no login" }
        return words
    }

    @Test("behaviour 4.13: 204 is free; other pages want a login; errors say nothing")
    func statuses() throws {
        #expect(try finding("HTTP/1.1 204 No Content\r\n\r\n") == .free)
        #expect(try finding("HTTP/1.0 204\r\n\r\n") == .free)
        for status in [200, 201, 302, 399, 511] {
            #expect(
                try login("HTTP/1.1 \(status) X\r\n\r\n")
                    == "wants a login (something else answers for connectivity.example, status \(status))"
            )
        }
        for status in [100, 400, 404, 500, 503, 999] {
            guard case .unknown = try finding("HTTP/1.1 \(status) X\r\n\r\n") else {
                Issue.record("\(status) says something")
                continue
            }
        }
    }

    @Test("where it leads to is told only if it is a name or an address")
    func locations() throws {
        func of(_ header: String) throws -> String {
            try login("HTTP/1.1 302 Found\r\nServer: x\r\n\(header)\r\n\r\n")
        }
        let end = " (something else answers for connectivity.example, status 302)"
        #expect(
            try of("Location: http://Login.Hotel.example:8080/a?b=c")
                == "wants a login at login.hotel.example" + end)
        #expect(try of("LOCATION:https://10.0.0.1/") == "wants a login at 10.0.0.1" + end)
        for header in [
            "Location: /login", "Location: http://<b>x</b>/", "Location: http://", "Location:",
            "Location: ftp://a.example/", "X-Location: http://a.example/",
            "Location: http://\u{1b}[31m.example/", "\r\nLocation: http://body.example/",
        ] {
            #expect(try of(header) == "wants a login" + end, "\(header)")
        }
    }

    @Test("what is no HTTP is no answer; an answer ends with its head")
    func heads() {
        for text in [
            "", "HTTP/1.1", "HTTP/1.1 2x4 N", "SSH-2.0-OpenSSH", "HTTP/2.0 204 x", "HTTP/1.1 004",
        ] {
            #expect(CheckAnswer(Array(text.utf8)) == nil)
        }
        #expect(!CheckAnswer.isWhole([]))
        #expect(!CheckAnswer.isWhole(Array("HTTP/1.1 204\r\n".utf8)))
        #expect(CheckAnswer.isWhole(Array("HTTP/1.1 204\r\n\r\nbody".utf8)))
    }

    @Test("no bytes break it")
    func fuzz() throws {
        var random = SeededGenerator(seed: 413)
        let whole = Array(
            "HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/a\r\n\r\n".utf8)
        let page = try page()
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 5))
                }
                if bytes.isEmpty { break }
            }
            _ = CheckAnswer.isWhole(bytes)
            guard case .captive(let words) = CheckAnswer(bytes)?.finding(for: page) else {
                continue
            }
            // Nothing of a stranger's but a name, which has no sign to fear.
            #expect(words.utf8.allSatisfy { (32..<127).contains($0) && $0 != 60 })
            #expect(words.utf8.count < 400)
        }
        #expect(CheckAnswer(whole + Array(repeating: 65, count: 1 << 20))?.status == 302)
    }
}
