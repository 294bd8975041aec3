import Base
import TestSupport
import Testing
import Tunnel

@Suite("management interface")
struct ManagementTests {
    /// What OpenVPN 2.6.14 says, from start to end.
    private let conversation = """
        >INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r
        >HOLD:Waiting for hold release:0\r
        SUCCESS: real-time state notification set to ON\r
        SUCCESS: hold release succeeded\r
        >STATE:1795253097,WAIT,,,,,,\r
        >STATE:1795253097,AUTH,,,,,,\r
        >STATE:1795253097,ASSIGN_IP,,10.8.0.2,,,,\r
        >STATE:1795253097,CONNECTED,SUCCESS,10.8.0.2,127.0.0.1,1194,,\r
        >STATE:1795253115,RECONNECTING,server_poll,,,,,\r
        >FATAL:All connections have been connect-retry-max (1) times unsuccessful, exiting\r
        >PASSWORD:Verification Failed: 'Auth'\r
        ERROR: command not allowed\r
        >STATE:1795253143,EXITING,init_instance,,,,,\r

        """

    @Test("a whole conversation, in pieces of every size")
    func conversationInPieces() throws {
        let address = try #require(IPv4Address("10.8.0.2"))
        let expected: [ManagementMessage] = [
            .other, .hold, .other, .other,
            .state(SessionReport(.waiting)), .state(SessionReport(.authenticating)),
            .state(SessionReport(.assigningAddress, address: address)),
            .state(SessionReport(.connected, detail: "SUCCESS", address: address)),
            .state(SessionReport(.reconnecting, detail: "server_poll")),
            .fatal("All connections have been connect-retry-max (1) times unsuccessful, exiting"),
            .password("Verification Failed: 'Auth'"), .refused("command not allowed"),
            .state(SessionReport(.exiting, detail: "init_instance")),
        ]
        let bytes = Array(conversation.utf8)
        for size in [1, 2, 3, 7, 64, bytes.count] {
            var parser = ManagementParser()
            var messages: [ManagementMessage] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                messages += parser.take(bytes[start..<min(start + size, bytes.count)])
            }
            #expect(messages == expected, "in pieces of \(size)")
        }
    }

    @Test("what it asks for when the key is with us")
    func externalKey() {
        #expect(ManagementMessage(">NEED-CERTIFICATE:session") == .needCertificate)
        for proxy in ["HTTP Proxy", "SOCKS Proxy"] {
            #expect(
                ManagementMessage(">PASSWORD:Need '\(proxy)' username/password")
                    == .needLogin(proxy: proxy))
        }
        #expect(
            ManagementMessage(">PASSWORD:Need 'Auth' username/password")
                == .password("Need 'Auth' username/password"))
        #expect(
            ManagementMessage(">PK_SIGN:AQID/w==,ECDSA")
                == .sign([1, 2, 3, 255], algorithm: "ECDSA"))
        #expect(ManagementMessage(">PK_SIGN:AQID/w==") == .sign([1, 2, 3, 255], algorithm: ""))
        #expect(ManagementMessage(">PK_SIGN:%%%,ECDSA") == .sign([], algorithm: "ECDSA"))
        #expect(ManagementMessage(">PK_SIGN:") == .sign([], algorithm: ""))
    }

    @Test("a state that a newer OpenVPN may have, and lines cut short, are passed over")
    func unknownLines() {
        for line in [">STATE:1,NEWSTATE,,,", ">STATE:1", ">STATE:", ">", "", "END", ">LOG:1,I,x"] {
            #expect(ManagementMessage(line) == .other, "\(line)")
        }
    }

    @Test("a line without an end is dropped, not kept")
    func overlong() {
        var splitter = LineSplitter()
        for _ in 0..<1000 { #expect(splitter.take([UInt8](repeating: 120, count: 1000)).isEmpty) }
        #expect(splitter.take(Array("\nnext\n".utf8)) == ["next"])
        #expect(splitter.dropped == 1)
        let longest = String(repeating: "y", count: LineSplitter.lineBytesMax)
        #expect(splitter.take(Array((longest + "\n").utf8)) == [longest])
    }

    @Test("100,000 damaged conversations: no harm, no line too long, cut anywhere alike")
    func fuzz() {
        let original = Array(conversation.utf8)
        var random = SeededGenerator(seed: 20_261_121)
        var isSound = true
        var states = 0
        for _ in 0..<100_000 {
            // A window of the conversation, with a few bytes changed, doubled or removed.
            let start = Int.random(in: 0..<original.count, using: &random)
            var bytes = Array(original[start..<min(original.count, start + 120)])
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.insert(contentsOf: bytes[index...].prefix(9), at: index)
                default: bytes.remove(at: index)
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            var whole = ManagementParser()
            var parts = ManagementParser()
            let messages = whole.take(bytes)
            if parts.take(bytes[..<cut]) + parts.take(bytes[cut...]) != messages { isSound = false }
            for case .state(let report) in messages {
                states += 1
                if report.detail.utf8.count > LineSplitter.lineBytesMax { isSound = false }
            }
        }
        #expect(isSound)
        #expect(states > 10_000, "the damage was so great that nothing was tested")
    }
}

@Suite("why a session failed")
struct TunnelTroubleTests {
    private func reason(_ log: String) -> String? {
        var trouble = TunnelTrouble()
        for line in log.split(separator: "\n") { trouble.consider(String(line)) }
        return trouble.reason
    }

    @Test("the cause, not its consequences")
    func cause() {
        #expect(
            reason(
                """
                VERIFY OK: depth=1, CN=test-ca
                VERIFY X509NAME ERROR: CN=vpn.ixon.net, must be other
                OpenSSL: error:0A000086:SSL routines::certificate verify failed:
                TLS Error: TLS handshake failed
                SIGUSR1[soft,tls-error] received, process restarting
                """) == "VERIFY X509NAME ERROR: CN=vpn.ixon.net, must be other")
        #expect(
            reason(
                """
                UDPv4 link remote: [AF_INET]127.0.0.1:1194
                read UDPv4 [ECONNREFUSED]: Connection refused (fd=4,code=111)
                Server poll timeout, restarting
                """) == "nothing listens at the server's port")
        #expect(
            reason("AUTH: Received control message: AUTH_FAILED,expired")
                == "the server refuses us (AUTH_FAILED)")
        #expect(reason("TLS Error: TLS handshake failed") == "TLS handshake failed")
    }

    @Test("a session that goes well gives no reason")
    func nothingWrong() {
        #expect(
            reason(
                """
                OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [AEAD] [DCO]
                VERIFY OK: depth=0, CN=vpn.ixon.net
                Initialization Sequence Completed
                """) == nil)
    }

    @Test("a long line is cut")
    func long() {
        let text = reason("Options error: " + String(repeating: "x", count: 5000))
        #expect(text?.count == TunnelTrouble.reasonMax)
    }
}
