import Glibc
import Linux

/// The one process that owns the whole site: PID 1 of its own process, network and mount namespaces.
///
/// PID 1 is a shell that only waits for its standard input, a pipe from us. However we end (exit,
/// crash, `kill -9`), the pipe closes, PID 1 exits, and the kernel kills every process of the site and
/// takes all its namespaces, interfaces, rules and mounts with them. Nothing can leak.
struct Holder: Sendable {
    /// `unshare`, which lives as long as PID 1.
    private let child: ChildProcess
    /// PID 1, as this machine numbers it.
    let processID: Int32
    private let usesUserNamespace: Bool

    /// Starts PID 1 and waits until its mounts are made.
    static func start(in directory: SiteDirectory, options: SiteOptions) async throws -> Holder {
        let usesUserNamespace = options.usesUserNamespace ?? (geteuid() != 0)
        let scriptPath = directory.path + "/holder.sh"
        try directory.write(script, to: scriptPath)
        let child = try ChildProcess(
            ["/usr/bin/unshare"] + (usesUserNamespace ? ["--user", "--map-root-user"] : []) + [
                "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                "/bin/sh", scriptPath, directory.path,
                options.keep == .always ? "keep" : "remove",
            ], input: .pipe, output: .pipe, error: .file(directory.log("holder")))
        var lines = Lines(of: child)
        guard try await lines.next() == "ready" else {
            child.closeStandardInput()
            let exit = await child.waitForExit()
            throw SiteError(
                "cannot make the site's namespaces (\(exit)): \(directory.tail("holder")); "
                    + "run as root, or allow user namespaces (sysctl user.max_user_namespaces, "
                    + "and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0)")
        }
        guard let processID = onlyChild(of: child.processID) else {
            throw SiteError("cannot find the site's first process: it has ended")
        }
        return Holder(
            child: child, processID: processID, usesUserNamespace: usesUserNamespace)
    }

    /// Ends the site and everything in it; returns when the kernel has taken it all away.
    func end(keepingDirectory: Bool) async {
        _ = child.writeInput(Array((keepingDirectory ? "keep\n" : "remove\n").utf8)[...])
        child.closeStandardInput()
        _ = await child.waitForExit()
    }

    /// The command line that runs a program inside the site; it dies with the process that was started.
    func entering(_ place: Place?, _ arguments: [String]) -> [String] {
        nsenter + ["setpriv", "--pdeathsig", "KILL", "--"]
            + (place.map { ["ip", "netns", "exec", $0.rawValue] } ?? []) + arguments
    }

    /// The beginning of a command line for a person who wants to look around in the site.
    var enterCommand: String { nsenter.joined(separator: " ") }

    private var nsenter: [String] {
        ["/usr/bin/nsenter", "--target", "\(processID)"]
            + (usesUserNamespace ? ["--user", "--preserve-credentials"] : [])
            + ["--mount", "--net", "--pid", "--"]
    }

    /// The child of a process that has at most one; nil when it has none.
    static func onlyChild(of processID: Int32) -> Int32? {
        let path = "/proc/\(processID)/task/\(processID)/children"
        guard let text = try? SmallFile.readText(path) else { return nil }
        return text.split(separator: " ").first.flatMap { Int32($0) }
    }

    /// What PID 1 does. Arguments: the site's directory, and what to do with it if we vanish.
    private static let script = """
        set -eu
        dir=$1 atEnd=$2
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /run/netns /run/drawbridge
        # A directory of this machine, where the site may add its own: a tmpfs of links to what is there.
        view() {
            mkdir -p "/run/site$1"
            mount --rbind "$1" "/run/site$1"
            mount -t tmpfs -o mode=755 tmpfs "$1"
            find "/run/site$1" -mindepth 1 -maxdepth 1 ! -type l -exec ln -s -t "$1" {} +
            find "/run/site$1" -mindepth 1 -maxdepth 1 -type l -exec cp -P -t "$1" {} +
        }
        view /etc
        view /var/lib
        rm -rf /etc/resolv.conf /etc/hosts /etc/netns /etc/drawbridge /var/lib/drawbridge
        mkdir -p /etc/drawbridge /var/lib/drawbridge
        for place in router cloud office remote; do mkdir -p "/etc/netns/$place"; done
        : > /etc/resolv.conf
        echo '127.0.0.1 localhost' > /etc/hosts
        echo 'nameserver 127.0.0.1' > /etc/netns/router/resolv.conf
        echo 'nameserver 9.9.9.9' > /etc/netns/office/resolv.conf
        echo 'nameserver 9.9.9.9' > /etc/netns/remote/resolv.conf
        echo '203.0.113.10 mqtt.ixon.net vpn.ixon.net' > /etc/netns/cloud/hosts
        mount --bind "$dir/etc" /etc/drawbridge
        mount --bind "$dir/state" /var/lib/drawbridge
        echo ready
        if read -r answer; then atEnd=$answer; fi
        # Nobody may write while we remove.
        kill -s KILL -- -1 || :
        # What stays for somebody to look at is the logs: a ring may have eight gigabytes.
        if [ "$atEnd" = remove ]; then gone=$dir; else gone=$dir/state/recorder; fi
        rm -rf "$gone" || { sleep 0.1; rm -rf "$gone"; }
        """
}
