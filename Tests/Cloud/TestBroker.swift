import Base
import Cloud
import Glibc
import Linux
import Synchronization
import Testing

@testable import Settings

/// A real mosquitto on 127.0.0.1 with TLS and required client certificates.
final class TestBroker: Sendable {
    static let isAvailable = access("/usr/sbin/mosquitto", X_OK) == 0

    let pki: TestPKI
    let port: UInt16
    private let child = Mutex<ChildProcess?>(nil)

    init(_ pki: TestPKI) async throws {
        self.pki = pki
        port = try freePort()
        let configuration = """
            listener \(port) 127.0.0.1
            cafile \(pki.path("ca.pem"))
            certfile \(pki.path("broker.pem"))
            keyfile \(pki.path("broker.key"))
            require_certificate true
            allow_anonymous true
            persistence false
            max_queued_messages 0
            user root

            """
        try SmallFile.replace(pki.path("mosquitto.conf"), with: Array(configuration.utf8))
        try await start()
    }

    /// Starts, and returns when it accepts connections.
    func start() async throws {
        let child = try ChildProcess(
            ["/usr/sbin/mosquitto", "-c", pki.path("mosquitto.conf")],
            error: .file(pki.path("mosquitto.log")))
        self.child.withLock { $0 = child }
        try await eventually("mosquitto listens") { canConnect(to: port) }
    }

    func send(signal: Int32) {
        child.withLock { $0?.send(signal: signal) }
    }

    func kill() async {
        let child = child.withLock { $0 }
        child?.send(signal: SIGKILL)
        _ = await child?.waitForExit()
    }

    deinit { child.withLock { $0?.send(signal: SIGKILL) } }

    func options(
        _ clientID: String, _ identity: MQTTIdentity? = nil, host: String = "127.0.0.1"
    ) -> MQTTOptions {
        MQTTOptions(
            host: host, port: port, clientID: clientID, identity: identity ?? pki.identity())
    }

    func settings() throws -> Settings.Cloud {
        let identity = pki.identity()
        return Settings.Cloud(
            domains: [], ports: [],
            broker: Settings.Endpoint(
                host: try #require(DomainName("127.0.0.1")), port: TransportPort(.tcp, port)),
            group: "drawbridge",
            identity: Settings.Identity(
                authority: identity.authority, certificate: identity.certificate,
                key: identity.key))
    }
}

/// `mosquitto_sub` on everything; what it got, decoded.
final class TestSubscriber: Sendable {
    private let child: ChildProcess
    private let file: String

    init(_ broker: TestBroker, name: String, topic: String = "spBv1.0/#") async throws {
        file = broker.pki.path(name + ".log")
        let pki = broker.pki
        child = try ChildProcess(
            [
                "/usr/bin/stdbuf", "-oL", "/usr/bin/mosquitto_sub", "-d", "-h", "127.0.0.1", "-p",
                "\(broker.port)", "--cafile", pki.path("ca.pem"), "--cert", pki.path("device.pem"),
                "--key", pki.path("device.key"), "-q", "1", "-t", topic, "-F", "MSG %t %x",
            ], output: .file(file), error: .file(file))
        let file = file
        try await eventually("mosquitto_sub has subscribed") {
            (try? SmallFile.readText(file))?.contains("received SUBACK") ?? false
        }
    }

    deinit { child.send(signal: SIGKILL) }

    func messages() throws -> [(topic: SparkplugTopic, payload: SparkplugPayload)] {
        try raw().map {
            (try #require(SparkplugTopic($0.topic)), try SparkplugPayload(decoding: $0.payload))
        }
    }

    func raw() throws -> [(topic: String, payload: [UInt8])] {
        let text = try SmallFile.readText(file, bytesMax: 64 << 20)
        // The last line may still be in the writing.
        let complete = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
        return complete.split(separator: "\n").filter { $0.hasPrefix("MSG ") }.map { line in
            let parts = line.split(separator: " ")
            let hex = parts.count > 2 ? Array(parts[2].utf8) : []
            let bytes = stride(from: 0, to: hex.count - 1, by: 2).map { index in
                UInt8(String(decoding: hex[index...(index + 1)], as: UTF8.self), radix: 16) ?? 0
            }
            return (String(parts[1]), bytes)
        }
    }

    /// The ids of all records, in order of arrival.
    func ids() throws -> [UInt64] {
        try messages().flatMap { $0.payload.metrics.compactMap(\.recordID) }
    }
}

/// Waits until a condition holds; 20 s at most.
func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<1_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    try #require(await condition(), what)
}

/// A TCP port of 127.0.0.1 that nobody listens on.
func freePort() throws -> UInt16 {
    let listener = try TestListener()
    return listener.port
}

func canConnect(to port: UInt16) -> Bool {
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(raw) }
    return withSocketAddress(loopback, port: port) { connect(raw, $0, $1) } == 0
}

private let loopback = IPv4Address(value: 0x7f00_0001)

/// A listening TCP socket on 127.0.0.1 that says nothing.
final class TestListener: Sendable {
    let socket: FileDescriptor
    let port: UInt16

    init() throws {
        let raw = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        socket = FileDescriptor(owning: raw)
        _ = try check("bind a test socket") {
            withSocketAddress(loopback) { bind(raw, $0, $1) }
        }
        _ = try check("listen") { listen(raw, 4) }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = try check("ask for the port") {
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(raw, $0, &length)
                }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }
}
