import Base
import Glibc
import Linux
import TestSupport
import Testing

@testable import Cloud

/// Real servers (`openssl s_server`) that offer what must be refused.
@Suite("TLS policy against real servers", .serialized, .timeLimit(.minutes(2)))
struct TLSPolicyTests {
    /// A server on a free port of 127.0.0.1, as the host name `localhost`.
    private final class Server {
        let child: ChildProcess
        let port: UInt16

        init(_ pki: TLSServerPKI, _ certificate: String, _ arguments: [String]) async throws {
            port = try freePort()
            child = try ChildProcess(
                [
                    "/usr/bin/openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-www",
                    "-cert", pki.path(certificate + ".pem"), "-key", pki.path(certificate + ".key"),
                    "-cert_chain", pki.path(certificate + ".chain"),
                ] + arguments, output: .null, error: .null)
            let port = port
            try await eventually("s_server listens") { canConnect(to: port) }
        }

        deinit { child.send(signal: SIGKILL) }
    }

    /// What becomes of a connection: the reason in words, or that TLS was agreed on and the server (which
    /// speaks no MQTT) was silent.
    private func outcome(
        _ pki: TLSServerPKI, _ certificate: String, _ arguments: [String] = [],
        host: String = "localhost", pins: [SPKIPin] = []
    ) async throws -> String {
        let server = try await Server(pki, certificate, arguments)
        var options = MQTTOptions(
            host: host, port: server.port, clientID: "test",
            identity: MQTTIdentity(
                authority: pki.path("ca.pem"), certificate: pki.path("device.pem"),
                key: pki.path("device.key")))
        options.pins = pins
        options.connectTimeout = .seconds(2)
        let connection = try MQTTConnection(options)
        await connection.waitForEnd()
        guard case .closed(let trouble?) = connection.takeEvents().last else { return "connected" }
        return trouble.text(options)
            .replacing("mqtts://\(host):\(server.port): ", with: "")
            .replacing(pki.folder.path, with: "")
    }

    private static let agreed =
        "the server accepts connections but did not finish TLS and MQTT within 2 s"

    @Test("what is right is accepted: TLS 1.3, and TLS 1.2 with forward secrecy")
    func accepted() async throws {
        let pki = try await TLSServerPKI()
        for arguments in [[], ["-tls1_2"], ["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"]] {
            let outcome = try await outcome(pki, "good", arguments)
            #expect(outcome == Self.agreed, "\(arguments)")
        }
        #expect(try await outcome(pki, "good", host: "127.0.0.1") == Self.agreed)
    }

    @Test(
        "each refusal has its reason in words",
        arguments: [
            (
                "good", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
                "the broker speaks neither TLS 1.2 nor 1.3"
            ),
            (
                "good", ["-tls1_2", "-cipher", "AES256-GCM-SHA384:AES128-SHA"],
                "the broker has no cipher suite with forward secrecy and authenticated encryption "
                    + "(ECDHE with AES-GCM or ChaCha20)"
            ),
            (
                "good", ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"],
                "the broker has no cipher suite with forward secrecy and authenticated encryption "
                    + "(ECDHE with AES-GCM or ChaCha20)"
            ),
            (
                "other-name", [],
                "the certificate of the server is for another host name, evil.example"
            ),
            (
                "expired", [],
                "the certificate of the server has expired (is our clock right?)"
            ),
            (
                "self-signed", [],
                "the certificate of the server is signed by itself, not by /ca.pem"
            ),
            (
                "intercepted", [],
                "the certificate of the server is signed by \"Corporate TLS inspection\", which is "
                    + "not in /ca.pem; a proxy on the way may be intercepting TLS"
            ),
            ("client-only", [], "the certificate of the server is not one for servers"),
        ])
    func refused(certificate: String, arguments: [String], reason: String) async throws {
        let pki = try await TLSServerPKI()
        #expect(try await outcome(pki, certificate, arguments) == reason)
    }

    @Test("pins: the server's key, its authority's or a spare's will do, another's will not")
    func pins() async throws {
        let pki = try await TLSServerPKI()
        let spare = SPKIPin(digest: [UInt8](repeating: 7, count: 32))
        for name in ["good", "ca"] {
            let pin = try await pki.pin(name)
            #expect(try await outcome(pki, "good", pins: [spare, pin]) == Self.agreed)
        }
        #expect(
            try await outcome(pki, "good", pins: [spare, pki.pin("expired")])
                == "the keys of the server are none of the pinned ones, though /ca.pem signed them; "
                + "somebody may be intercepting TLS, or the server's key was changed")
        // A pin is no substitute for the rest.
        #expect(
            try await outcome(pki, "expired", pins: [spare, pki.pin("expired")])
                == "the certificate of the server has expired (is our clock right?)")
    }
}

/// Certificates of servers, right and wrong ones; RSA keys, which static RSA needs. Made once a process.
struct TLSServerPKI {
    let folder: TemporaryFolder
    private static let made = Task { try await make() }

    init() async throws { folder = try await Self.made.value }

    func path(_ file: String) -> String { folder.path + "/" + file }

    /// As the comment in etc/drawbridge.toml computes it.
    func pin(_ name: String) async throws -> SPKIPin {
        let result = try await Command.run([
            "/bin/sh", "-c",
            "openssl x509 -in \(path(name + ".pem")) -pubkey -noout | openssl pkey -pubin -outform der"
                + " | openssl dgst -sha256 -binary | base64",
        ])
        return try #require(SPKIPin("sha256/" + result.output.filter { $0 != "\n" }))
    }

    private static func make() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let script = """
            cd "$1" || exit 1
            authority() { # file, name
                openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$2" \
                    -keyout $1.key -out $1.pem || exit 1
            }
            sign() { # name, CA, key usage, subject alternative name, options
                openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr \
                    || exit 1
                printf 'extendedKeyUsage=%s\\nsubjectAltName=%s\\n' $3 $4 >$1.ext
                openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial \
                    -extfile $1.ext -out $1.pem ${5:--days 2} || exit 1
                cp $2.pem $1.chain
            }
            authority ca "test ca"
            authority proxy "Corporate TLS inspection"
            local=DNS:localhost,IP:127.0.0.1
            sign good ca serverAuth $local
            sign other-name ca serverAuth DNS:evil.example
            sign expired ca serverAuth $local "-days -1"
            sign intercepted proxy serverAuth $local
            sign client-only ca clientAuth $local
            sign device ca clientAuth DNS:device
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=localhost" \
                -addext "subjectAltName=$local" -keyout self-signed.key -out self-signed.pem || exit 1
            cp ca.pem self-signed.chain
            """
        let result = try await Command.run(
            ["/bin/sh", "-c", script, "sh", folder.path], timeout: .seconds(60))
        try #require(result.exit.isSuccess, "\(result.error)")
        return folder
    }
}
