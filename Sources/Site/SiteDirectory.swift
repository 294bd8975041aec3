import Glibc
package import Linux

/// The site's directory on the machine: configuration and keys, the daemon's state, every child's log.
package struct SiteDirectory: Sendable {
    package let path: String

    /// Longest path, so that a unix socket within it fits in `sockaddr_un` (108 bytes).
    package static let pathBytesMax = 70

    package var logs: String { path + "/log" }
    package var certificates: String { path + "/pki" }
    /// Appears as `/etc/drawbridge`.
    package var configuration: String { path + "/etc" }
    package var devicePKI: String { configuration + "/pki" }
    package var configurationFile: String { configuration + "/drawbridge.toml" }
    /// Appears as `/var/lib/drawbridge`; a real directory, so it survives the daemon.
    package var state: String { path + "/state" }
    package var gpio: String { path + "/gpio" }
    package var vpn: String { path + "/vpn" }
    /// Where the cloud keeps blocks.
    package var bulk: String { path + "/bulk" }

    package static func make(in parent: String?) throws -> SiteDirectory {
        let folder = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/drawbridge-site.XXXXXX".utf8CString)
        guard template.count - 1 <= pathBytesMax else {
            throw SiteError(
                "cannot make the site's directory in \(folder): "
                    + "the path is longer than \(pathBytesMax) bytes; set TMPDIR=/tmp")
        }
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { throw SystemError("make a directory in \(folder)", code: errno) }
        let directory = SiteDirectory(path: made)
        for path in [
            directory.logs, directory.certificates, directory.configuration, directory.devicePKI,
            directory.state, directory.gpio, directory.vpn, directory.vpn + "/clients",
            directory.bulk,
        ] {
            _ = try check("make \(path)") { mkdir(path, 0o755) }
        }
        return directory
    }

    package func log(_ name: String) -> String { "\(logs)/\(name).log" }

    package func write(_ text: String, to path: String) throws(SystemError) {
        let file = try FileDescriptor(
            open: path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try file.writeAll(Array(text.utf8))
    }

    /// The last lines of a child's log, for an error's text.
    package func tail(_ name: String, lines: Int = 6) -> String {
        let text = (try? SmallFile.readText(log(name), bytesMax: 16 << 20)) ?? ""
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}
