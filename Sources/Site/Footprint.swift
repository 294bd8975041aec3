package import Base
import Glibc
import Linux

/// What a daemon needs of a small router: time to start, memory, processor time.
package struct Footprint: Sendable {
    /// From the command to `READY=1`, each start; entering the router's namespace is included.
    package var starts: [Duration]
    /// `VmRSS` at the end, in bytes.
    package var resident: ByteSize
    /// `RssAnon` at the end, in bytes: what only this process has.
    package var anonymous: ByteSize
    /// Processor time per second of running, after the first minute or the first tenth.
    package var processorShare: Double
    package var ran: Duration
    package var recordsDelivered: Int

    package var medianStart: Duration { starts.sorted()[starts.count / 2] }
}

extension Site {
    /// Starts the daemon `starts` times, then lets the last one work for `period` in the running site.
    package func measureFootprint(starts: Int, period: Duration) async throws -> Footprint {
        precondition(starts > 0)
        let ready = try NotifySocket(path: directory.state + "/notify")
        var times: [Duration] = []
        for number in 1...starts {
            let begun = SystemClock().now()
            try await startDaemon(
                config: Site.shippedConfiguration(),
                environment: ["NOTIFY_SOCKET": "/var/lib/drawbridge/notify"])
            times.append(try await ready.waitForReady(within: options.readyWithin) - begun)
            if number < starts { try await stopDaemon() }
        }
        guard let process = daemonProcessID else { throw SiteError("the daemon has ended") }
        let begun = SystemClock().now()
        try await Task.sleep(for: min(.seconds(60), period / 10))
        let (early, since) = (try processorTime(of: process), SystemClock().now())
        try await Task.sleep(for: begun + period - SystemClock().now())
        let spent = try processorTime(of: process) - early
        let watched = SystemClock().now() - since
        return Footprint(
            starts: times, resident: try memory("VmRSS:", of: process),
            anonymous: try memory("RssAnon:", of: process),
            processorShare: spent.inSeconds / watched.inSeconds, ran: SystemClock().now() - begun,
            recordsDelivered: await cloud.look { $0.recordsCount })
    }

    /// A line of `/proc/PID/status` in kibibytes (proc(5)).
    private nonisolated func memory(_ name: String, of process: Int32) throws -> ByteSize {
        let text = try SmallFile.readText("/proc/\(process)/status")
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        guard let fields = line?.split(whereSeparator: \.isWhitespace), fields.count == 3,
            let kibibytes = Int64(fields[1])
        else { throw SiteError("cannot find \(name) of process \(process)") }
        return ByteSize(bytes: kibibytes * 1024)
    }

    /// User and system time of all threads (fields 14 and 15 of `/proc/PID/stat`).
    private nonisolated func processorTime(of process: Int32) throws -> Duration {
        let text = try SmallFile.readText("/proc/\(process)/stat")
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12]) else {
            throw SiteError("cannot read /proc/\(process)/stat")
        }
        return .seconds(1) * (user + system) / sysconf(Int32(_SC_CLK_TCK))
    }
}

/// Systemd's end of `sd_notify`.
private struct NotifySocket: ~Copyable {
    private let socket: FileDescriptor

    init(path: String) throws {
        let raw = try check("open a socket") {
            Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        }
        let opened = FileDescriptor(owning: raw)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("bind \(path)", code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        _ = try check("bind \(path)") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        socket = opened
    }

    /// When `READY=1` came.
    func waitForReady(within limit: Duration) async throws -> Instant {
        let deadline = SystemClock().now() + limit
        while true {
            let outcome = try await Reactor.shared.wait(
                for: .readable, on: socket.raw, until: deadline)
            let now = SystemClock().now()
            guard outcome == .ready else { throw SiteError("the daemon did not say READY=1") }
            let text = String(decoding: try socket.read(atMost: 4096), as: UTF8.self)
            if text.split(separator: "\n").contains("READY=1") { return now }
        }
    }
}
