import Base
import Glibc
import Linux
import Settings
import TestSupport
import Testing
import Tunnel

/// A host with a small PKI in a folder, and the real server to connect to.
actor VPNHost {
    nonisolated let folder: String
    private let temporary: TemporaryFolder
    private let host: NamespaceHost
    private var server: ChildProcess?

    init() async throws {
        temporary = try TemporaryFolder()
        folder = temporary.path
        host = try NamespaceHost()
        try await makeKeys()
    }

    /// What starts a program on this host rather than where it is asked for.
    var launcher: [String] {
        get async { ["/usr/bin/nsenter", "--net=" + (await host.path)] }
    }

    /// Runs a program on this host; throws when it complains.
    @discardableResult
    func run(_ arguments: [String]) async throws -> String {
        let result = try await host.run(arguments)
        try #require(result.exit.isSuccess, "\(arguments): \(result.error)")
        return result.output
    }

    /// A CA, a server certificate for `vpn.ixon.net`, a device certificate, and the tls-crypt key.
    private func makeKeys() async throws {
        let openssl = "/usr/bin/openssl"
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try await run(
            [openssl, "req", "-x509", "-days", "2", "-subj", "/CN=test-ca"] + newKey + [
                "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem",
                "-addext", "keyUsage=critical,keyCertSign",
            ])
        for (name, subject, usage) in [
            ("server", "/CN=vpn.ixon.net", "serverAuth"), ("device", "/CN=plc", "clientAuth"),
        ] {
            let file = folder + "/" + name
            try SmallFile.replace(
                file + ".ext",
                with: Array("keyUsage=digitalSignature\nextendedKeyUsage=\(usage)\n".utf8))
            try await run(
                [openssl, "req", "-subj", subject] + newKey + [
                    "-keyout", file + ".key", "-out", file + ".csr",
                ])
            try await run([
                openssl, "x509", "-req", "-days", "2", "-in", file + ".csr",
                "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key", "-CAcreateserial",
                "-extfile", file + ".ext", "-out", file + ".pem",
            ])
        }
        try await run([
            "/usr/sbin/openvpn", "--genkey", "tls-crypt", folder + "/tls-crypt.key",
        ])
    }

    /// Starts a real server on loopback, which pushes what a client must not take.
    func startServer() async throws {
        let log = folder + "/server.log"
        let arguments = [
            "/usr/sbin/openvpn", "--dev", "tun9", "--dev-type", "tun", "--proto", "udp",
            "--local", "127.0.0.1", "--port", "1194", "--topology", "subnet",
            "--server", "10.8.0.0", "255.255.255.0", "--dh", "none",
            "--ca", folder + "/ca.pem", "--cert", folder + "/server.pem",
            "--key", folder + "/server.key", "--tls-crypt", folder + "/tls-crypt.key",
            "--keepalive", "10", "60", "--auth", "SHA512",
            "--push", "redirect-gateway def1", "--push", "route 10.99.0.0 255.255.0.0",
            "--push", "explicit-exit-notify 3", "--verb", "3",
        ]
        server = try await host.perform {
            try ChildProcess(arguments, output: .file(log), error: .file(log))
        }
        for _ in 0..<200 {
            let text = (try? SmallFile.readText(log)) ?? ""
            if text.contains("Initialization Sequence Completed") { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the server does not start: \((try? SmallFile.readText(log)) ?? "")")
    }

    func remove() async {
        if let server { _ = await server.stop(grace: .seconds(1)) }
    }
}

/// The tunnel's interface in a test's namespace.
struct NamespaceDevice: TunnelDevice {
    /// What begins a command line there.
    let enter: [String]

    private func ip(_ words: String) throws(SystemError) {
        let command = (enter + ["/usr/sbin/ip"]).joined(separator: " ") + " " + words
        guard system(command + " 2>/dev/null") == 0 else {
            throw SystemError("run \(command)", code: EINVAL)
        }
    }

    func make() throws(SystemError) {
        try? ip("tuntap del dev vpn0 mode tun")
        try ip("tuntap add dev vpn0 mode tun")
    }

    func setUp(_ address: IPv4Address) throws(SystemError) {
        try ip("address replace \(address)/24 dev vpn0")
        try ip("link set vpn0 up")
    }

    func traffic() -> TunnelTraffic? { nil }

    func remove() throws(SystemError) { try ip("tuntap del dev vpn0 mode tun") }
}
