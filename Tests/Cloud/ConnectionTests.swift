import Base
import Glibc
import TestSupport
import Testing

@testable import Cloud
@testable import Linux

@Suite(
    "MQTT connection against a real broker",
    .enabled(if: TestBroker.isAvailable, "mosquitto is not installed"))
struct ConnectionTests {
    /// What becomes of one attempt.
    private func attempt(_ options: MQTTOptions) async throws -> MQTTConnection.Event? {
        let connection = try MQTTConnection(options)
        defer { connection.abort() }
        for await _ in connection.wakeUps {
            if let event = connection.takeEvents().first { return event }
        }
        return connection.takeEvents().first
    }

    private func complaint(_ options: MQTTOptions) async throws -> String {
        guard case .closed(let trouble) = try await attempt(options), let trouble else {
            return "connected"
        }
        return trouble.text(options)
    }

    @Test("every reason for not being connected, in words")
    func reasons() async throws {
        let pki = try await TestPKI()
        let broker = try await TestBroker(pki)
        let url = "mqtts://127.0.0.1:\(broker.port)"
        func options(_ identity: MQTTIdentity, host: String = "127.0.0.1") -> MQTTOptions {
            var options = broker.options("test", identity, host: host)
            options.connectTimeout = .seconds(5)
            return options
        }
        #expect(try await attempt(options(pki.identity())) == .connected)

        let stranger = try await complaint(options(pki.identity("stranger")))
        let certificate = pki.path("stranger.pem")
        #expect(
            stranger
                == "\(url): the broker refused our certificate \(certificate): the broker does not know its issuer"
                // When the alert is lost in the reset that follows it:
                || stranger
                    == "\(url): the broker closed the connection before it accepted us; it may have refused our certificate \(certificate)",
            "\(stranger)")

        let other = pki.identity(authority: "other-ca.pem")
        #expect(
            try await complaint(options(other))
                == "\(url): the certificate of the server is signed by \"test ca\", which is not in \(other.authority); a proxy on the way may be intercepting TLS"
        )
        #expect(
            try await complaint(options(pki.identity(), host: "localhost"))
                == "mqtts://localhost:\(broker.port): the certificate of the server is for another host name, broker.test"
        )

        var missing = pki.identity()
        missing.key = pki.path("none.key")
        #expect(
            try await complaint(options(missing))
                == "[cloud] key: cannot open \(missing.key): No such file or directory")
        var swapped = pki.identity()
        swapped.key = pki.path("stranger.key")
        #expect(
            try await complaint(options(swapped))
                == "[cloud] key: \(swapped.key) is not the key of \(swapped.certificate)")
        var noPEM = pki.identity()
        noPEM.certificate = pki.path("mosquitto.conf")
        #expect(
            try await complaint(options(noPEM))
                == "[cloud] certificate: \(noPEM.certificate) is not a PEM file")

        await broker.kill()
        let refused = try await complaint(options(pki.identity()))
        #expect(refused == "\(url): cannot connect: Connection refused")
    }

    @Test("a server that accepts and then says nothing, and one that hangs up")
    func mute() async throws {
        let pki = try await TestPKI()
        let listener = try TestListener()
        var options = MQTTOptions(
            host: "127.0.0.1", port: listener.port, clientID: "test", identity: pki.identity())
        options.connectTimeout = .seconds(1)
        #expect(
            try await complaint(options).hasSuffix(
                "the server accepts connections but did not finish TLS and MQTT within 1 s"))
        options.connectTimeout = .seconds(20)
        async let text = complaint(options)
        // The first connection is the one above, long given up.
        for _ in 0..<2 {
            _ = try await Reactor.shared.wait(for: .readable, on: listener.socket.raw)
            close(accept(listener.socket.raw, nil, nil))
        }
        let hangUp = try await text
        #expect(hangUp.contains("closed the connection before it accepted us"), "\(hangUp)")
    }

    @Test("a name that cannot be resolved", .enabled(if: NetworkNamespace.isAvailable))
    func unresolvable() async throws {
        let pki = try await TestPKI()
        let options = MQTTOptions(
            host: "mqtt.ixon.net", port: 443, clientID: "test", identity: pki.identity())
        // The connection's thread is a child of this one: it has no network either.
        let connection = try NetworkNamespace.run { try MQTTConnection(options) }
        await connection.waitForEnd()
        guard case .closed(let trouble?) = connection.takeEvents().first else {
            Issue.record("it did not fail")
            return
        }
        let text = trouble.text(options)
        #expect(
            text.hasPrefix("mqtts://mqtt.ixon.net:443: cannot resolve mqtt.ixon.net: "), "\(text)")
    }

    @Test("our ClientHello offers TLS 1.3 and 1.2, and nothing older")
    func versions() async throws {
        let pki = try await TestPKI()
        let listener = try TestListener()
        let connection = try MQTTConnection(
            MQTTOptions(
                host: "127.0.0.1", port: listener.port, clientID: "test", identity: pki.identity()))
        defer { connection.abort() }
        _ = try await Reactor.shared.wait(for: .readable, on: listener.socket.raw)
        let peer = FileDescriptor(owning: accept(listener.socket.raw, nil, nil))
        _ = try await Reactor.shared.wait(for: .readable, on: peer.raw)
        let hello = try peer.read(atMost: 4096)
        #expect(try supportedVersions(hello) == [0x0304, 0x0303])
    }

    /// The extension `supported_versions` (43) of a ClientHello (RFC 8446 §4.1.2, §4.2.1).
    private func supportedVersions(_ record: [UInt8]) throws -> [UInt16] {
        func number(_ offset: Int) -> Int { Int(record[offset]) << 8 | Int(record[offset + 1]) }
        // Record header 5, handshake header 4, version 2, random 32.
        var offset = 43
        offset += 1 + Int(record[offset])
        offset += 2 + number(offset)
        offset += 1 + Int(record[offset])
        let end = offset + 2 + number(offset)
        offset += 2
        while offset < end {
            let (type, length) = (number(offset), number(offset + 2))
            if type == 43 {
                return stride(from: offset + 5, to: offset + 4 + length, by: 2).map {
                    UInt16(number($0))
                }
            }
            offset += 4 + length
        }
        return []
    }
}

@Suite("Words for MQTT and TLS trouble")
struct TroubleWords {
    private static let identity = MQTTIdentity(
        authority: "/ca.pem", certificate: "/d.pem", key: "/d.key")
    private let options = MQTTOptions(
        host: "mqtt.ixon.net", port: 443, clientID: "c", identity: Self.identity)

    @Test("an error knows whether a server was involved")
    func text() {
        #expect(
            MQTTTrouble.refused(why: "not authorised").text(options)
                == "mqtts://mqtt.ixon.net:443: not authorised")
        #expect(
            MQTTTrouble.file(key: "ca", why: "cannot open /ca.pem").text(options)
                == "[cloud] ca: cannot open /ca.pem")
        #expect(
            MQTTTrouble.cannotResolve(why: "Name or service not known").text(options)
                == "mqtts://mqtt.ixon.net:443: cannot resolve mqtt.ixon.net: Name or service not known"
        )
    }

    @Test(
        "what OpenSSL says, and what it means",
        arguments: [
            (
                "OpenSSL Error[0]: error:0A000418:SSL routines::tlsv1 alert unknown ca",
                "the broker refused our certificate /d.pem: the broker does not know its issuer"
            ),
            (
                "OpenSSL Error[0]: error:0A00045C:SSL routines::tlsv13 alert certificate required",
                "the broker refused our certificate /d.pem: the broker did not get one"
            ),
            (
                "OpenSSL Error[0]: error:0A000415:SSL routines::sslv3 alert certificate expired",
                "the broker refused our certificate /d.pem: it has expired, or the broker's clock is wrong"
            ),
            (
                "OpenSSL Error[0]: error:0A00042E:SSL routines::tlsv1 alert protocol version",
                "the broker speaks neither TLS 1.2 nor 1.3"
            ),
            (
                "OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number",
                "the server does not speak TLS on this port"
            ),
            (
                "OpenSSL Error[0]: error:0A000119:SSL routines::bad record mac",
                "TLS failed: bad record mac"
            ),
        ])
    func openSSL(line: String, meaning: String) {
        #expect(
            MQTTTrouble.reading(log: ["noise", line], identity: Self.identity)
                == .tls(why: meaning))
    }

    @Test("the broker's refusals (MQTT 3.1.1 §3.2.2.3)")
    func connack() {
        #expect(
            MQTTTrouble.connack(5, options).text(options)
                == "mqtts://mqtt.ixon.net:443: not authorised: the broker knows our certificate but does not let it in"
        )
        #expect(MQTTTrouble.connack(2, options).text(options).contains("\"c\""))
        let hangUp = "OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading"
        for log in [[], ["nothing of TLS"], [hangUp]] {
            #expect(MQTTTrouble.reading(log: log, identity: Self.identity) == nil)
        }
    }
}
