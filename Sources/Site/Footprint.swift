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
    /// Each of the daemon's threads, the busiest first, and OpenVPN's.
    package var threads: [(name: String, share: Double)]
    package var child: ProcessCost?
    package var ran: Duration
    package var recordsDelivered: Int

    package var medianStart: Duration { starts.sorted()[starts.count / 2] }
}

extension Site {
    /// Starts the daemon `starts` times, then lets the last one work for `period` in the running site.
    ///
    /// `tags`: read this many values once a second, with the VPN up; nil: what the shipped config reads.
    /// `interval`: how often each uplink is asked, in milliseconds; nil: as in the shipped config.
    package func measureFootprint(
        starts: Int, period: Duration, tags: Int? = nil, interval: Int? = nil
    ) async throws -> Footprint {
        var config = try Site.shippedConfiguration()
        if let interval {
            config = config.replacing("\ninterval = \"1s\"", with: "\ninterval = \"\(interval)ms\"")
                .replacing(
                    "\ntimeout = \"500ms\"", with: "\ntimeout = \"\(min(interval, 500))ms\"")
        }
        precondition(starts > 0)
        let ready = try NotifySocket(path: directory.state + "/notify")
        var times: [Duration] = []
        for number in 1...starts {
            let begun = SystemClock().now()
            try await startDaemon(
                config: tags.map { Self.config(config, tags: $0) } ?? config,
                environment: ["NOTIFY_SOCKET": "/var/lib/drawbridge/notify"])
            times.append(try await ready.waitForReady(within: options.readyWithin) - begun)
            if number < starts { try await stopDaemon() }
        }
        guard let process = daemonProcessID else { throw SiteError("the daemon has ended") }
        if tags != nil {
            try await waitUntil(within: .seconds(30), "cloud and VPN") {
                let seen = try Seen(json: try await status())
                return seen.isCloudConnected && seen.isTunnelConnected
            }
        }
        let begun = SystemClock().now()
        try await Task.sleep(for: min(.seconds(60), period / 10))
        let (early, since) = (try ProcessCost.processorTime(of: process), SystemClock().now())
        let threads = ProcessCost.threads(of: process)
        let child = ProcessCost.child(named: "openvpn", of: process)
        let childEarly = try child.map { try ProcessCost.processorTime(of: $0) }
        try await Task.sleep(for: begun + period - SystemClock().now())
        let spent = try ProcessCost.processorTime(of: process) - early
        let watched = SystemClock().now() - since
        var footprint = Footprint(
            starts: times, resident: try ProcessCost.memory("VmRSS:", of: process),
            anonymous: try ProcessCost.memory("RssAnon:", of: process),
            processorShare: spent.inSeconds / watched.inSeconds,
            threads: ProcessCost.threads(of: process, since: threads, over: watched),
            ran: SystemClock().now() - begun,
            recordsDelivered: await cloud.look { $0.recordsCount })
        if let child, let childEarly {
            footprint.child = try ProcessCost(of: child, since: childEarly, over: watched)
        }
        return footprint
    }

    /// The shipped config with other tags: `count` floats, each once a second.
    static func config(_ shipped: String, tags count: Int) -> String {
        precondition((1...MachineModel.seriesCount).contains(count))
        let tags = (0..<count).map { number in
            """
            [[machine.tag]]
            name = "series.\(number)"
            register = "holding:\(MachineModel.seriesStart + 2 * number)"
            type = "float32"
            log.every = "1s"

            """
        }.joined()
        let tables = shipped.split(
            separator: "\n[[machine.tag]]\n", omittingEmptySubsequences: false)
        let rest = tables.last.flatMap { last in
            last.firstRange(of: "\n[page]").map { last[$0.lowerBound...] }
        }
        return "\(tables[0])\n\(tags)\(rest ?? "")"
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
