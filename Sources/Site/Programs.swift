import Glibc
import Linux

/// Paths of the programs of this package that a site starts.
package struct Programs: Sendable {
    package var daemon: String
    package var site: String
    package var fakegpiod: String
    package var fakegpioLibrary: String

    /// The folder of the daemon.
    var folder: String { String(daemon[..<(daemon.lastIndex(of: "/") ?? daemon.endIndex)]) }

    /// Those in one build directory.
    package init(directory: String) {
        daemon = directory + "/drawbridge"
        site = directory + "/drawbridge-site"
        fakegpiod = directory + "/fakegpiod"
        fakegpioLibrary = directory + "/libfakegpio.so"
    }

    /// Those beside the running executable: a command or a test bundle of the same build.
    package static func besideThisExecutable() throws -> Programs {
        var directories: [String] = []
        if let path = realpath("/proc/self/exe", nil) {
            directories.append(String(cString: path))
            free(path)
        }
        directories = directories.map { String($0[..<($0.lastIndex(of: "/") ?? $0.endIndex)]) }
        directories.append(sourceRoot + "/.build/debug")
        let found = directories.map { Programs(directory: $0) }
            .first { access($0.site, X_OK) == 0 && access($0.fakegpiod, X_OK) == 0 }
        guard let found else {
            throw SiteError(
                "cannot find drawbridge-site and fakegpiod in "
                    + "\(directories.joined(separator: " or ")): run `swift build` first")
        }
        return found
    }

    /// The folder of Package.swift, as it was when this was compiled.
    package static let sourceRoot = String(
        #filePath.dropLast("/Sources/Site/Programs.swift".count))

    /// What Debian's packages give: the program, and the package to install for it.
    private static let needed = [
        ("mosquitto", "mosquitto"), ("mosquitto_sub", "mosquitto-clients"),
        ("openvpn", "openvpn"), ("dnsmasq", "dnsmasq-base"), ("nft", "nftables"),
        ("ip", "iproute2"), ("openssl", "openssl"), ("ping", "iputils-ping"),
        ("unshare", "util-linux"), ("sysctl", "procps"),
    ]

    /// What stands in the way of a site on this machine, each with what to do; empty when nothing does.
    package static func obstacles() -> [String] {
        let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        var texts = needed.filter { name, _ in
            !folders.contains { access("\($0)/\(name)", X_OK) == 0 }
        }.map { "\($0) is missing: install \($1) (scripts/setup.sh does)" }
        if access("/dev/net/tun", R_OK | W_OK) != 0 {
            let reason = String(cString: strerror(errno))
            texts.append("cannot open /dev/net/tun: \(reason); run as root, or `modprobe tun`")
        }
        return texts
    }
}
