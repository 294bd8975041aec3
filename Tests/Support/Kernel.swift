import Glibc
package import Linux

/// A Linux kernel of a test's own (`scripts/kernel`), for what this machine's kernel lacks or must not suffer:
/// simulated GPIO lines, bad lines, power cuts, systemd as process 1.
///
///     @Test(.enabled(if: Kernel.isAvailable, Kernel.isMissing))
package enum Kernel {
    /// Said of a test that is skipped.
    package static let isMissing =
        "no test kernel here: scripts/kernel/build makes one in 8 minutes"

    /// Whether tests that need the kernel can run. True without one where skipping is a failure, as in
    /// continuous integration (`DRAWBRIDGE_KERNEL_REQUIRED`).
    package static let isAvailable: Bool = {
        variable("DRAWBRIDGE_KERNEL_REQUIRED") != nil || access(path, X_OK) == 0
    }()

    /// The same place as in `scripts/kernel/common.sh`.
    private static let path: String =
        variable("DRAWBRIDGE_KERNEL")
        ?? (variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "/root") + "/.cache")
        + "/drawbridge-kernel/linux"

    /// Where the sources are; inside, they are at the same place.
    package static let checkout: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Runs a bash script inside; boots in 2 to 5 seconds, and is ended after `timeout`.
    ///
    /// `lines` is a simulated GPIO chip, such as `8,3=vpn-switch`: `echo pull-up > /run/gpio/vpn-switch` moves
    /// the wire. What the script writes in `folder` stays. `options` are more options of `scripts/kernel/run`.
    package static func run(
        _ script: String, lines: String? = nil, isUnderSystemd: Bool = false,
        sharing folder: String? = nil, options: [String] = [], timeout: Duration = .seconds(120)
    ) async throws -> Command.Result {
        var words = [checkout + "/scripts/kernel/run", "-t", "\(timeout.components.seconds)"]
        if let lines { words += ["-g", lines] }
        if isUnderSystemd { words.append("-s") }
        if let folder { words += ["-w", folder] }
        words += options + ["--", "/bin/bash", "-c", script]
        var environment: [String: String] = [:]
        for name in ["HOME", "XDG_CACHE_HOME", "DRAWBRIDGE_KERNEL"] {
            environment[name] = variable(name)
        }
        return try await Command.run(
            words, environment: environment, timeout: timeout + .seconds(10))
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
