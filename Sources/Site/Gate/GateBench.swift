import Base
import Glibc
import Linux

/// Measures how long packets still pass after remote access was cut, in one way or another.
package struct GateBench: Sendable {
    /// A way to cut remote access.
    package enum Way: String, CaseIterable, Sendable {
        case key = "key off"
        case keyWithHogs = "key off, 4 CPU hogs"
        case kill = "daemon killed (SIGKILL)"
        case pause = "daemon hung (SIGSTOP)"
        case link = "`ip link set down`"
        case management = "`kill` on the VPN server's management socket"

        /// How long packets are watched for after the cut.
        fileprivate var window: Duration {
            switch self {
            case .key, .keyWithHogs, .link: .milliseconds(120)
            case .kill: .milliseconds(700)
            case .pause: .milliseconds(800)
            case .management: .milliseconds(150)
            }
        }
    }

    /// What was measured of one way: from the cut to the last packet, sorted; zero when the last packet had
    /// come before.
    package struct Result: Sendable {
        package var way: Way
        package var delays: [Duration]
        /// Packets a second that arrived just before the cuts, median.
        package var rate: Int

        package func percentile(_ share: Double) -> Duration {
            guard !delays.isEmpty else { return .zero }
            let rank = Int((Double(delays.count) * share).rounded(.up))
            return delays[min(delays.count, max(1, rank)) - 1]
        }
    }

    /// Packets a second from the technician to the machine.
    package static let rate = 10_000
    /// Between the two readings that give the rate before a cut.
    private static let rateWindow = Duration.milliseconds(100)

    private let site: Site
    private let clock = SystemClock()
    private let tally: String

    package init(_ site: Site) {
        self.site = site
        tally = site.directory.path + "/tally"
    }

    /// Cuts `count` times in each way; the stream and all that is not under test run in real time.
    package func run(
        _ ways: [Way], count: Int, report: (Result) -> Void
    ) async throws {
        try await favourTheSite()
        try await site.startDaemon(config: Site.shippedConfiguration())
        try await startStream()
        for way in ways {
            try await flowing()
            var hogs: [Part] = []
            if way == .keyWithHogs {
                for _ in 0..<4 {
                    hogs.append(
                        try await site.startBackground(
                            in: .router, name: "hog", ["sh", "-c", "while :; do :; done"]))
                }
            }
            let result = try await measure(way, count)
            for hog in hogs { await hog.stop() }
            report(result)
        }
    }

    private func measure(_ way: Way, _ count: Int) async throws -> Result {
        let shell = way == .link ? try site.openShell(in: .router) : nil
        let server = way == .management ? try ServerManagement(site.directory) : nil
        var delays: [Duration] = []
        var rates: [Int] = []
        for number in 0..<count {
            try await flowing()
            let (before, begin) = (Exchange.Tally(path: tally), clock.now())
            // At another place of the lease's renewal each time.
            try await Task.sleep(
                for: Self.rateWindow + .microseconds(Int64(number * 7919 % 100_000)))
            let share = (clock.now() - begin).inSeconds
            rates.append(
                Int(Double(Exchange.Tally(path: tally).received - before.received) / share))
            let cut: Instant
            switch way {
            case .key, .keyWithHogs: cut = try await site.turnSwitch(.off)
            case .kill: cut = try await site.killDaemon()
            case .pause: cut = try await site.pauseDaemon()
            case .link: cut = try shell?.order("ip link set vpn0 down") ?? clock.now()
            case .management:
                cut = try server?.order("kill \(Site.deviceName)") ?? clock.now()
            }
            try await Task.sleep(for: cut + way.window - clock.now())
            delays.append(max(.zero, Exchange.Tally(path: tally).lastArrival - cut))
            switch way {
            case .key, .keyWithHogs: try await site.turnSwitch(.on)
            case .kill: try await site.startDaemon()
            case .pause: try await site.resumeDaemon()
            case .link: _ = try shell?.order("ip link set vpn0 up")
            case .management:
                // The client would only notice when its pings are not answered.
                try await site.turnSwitch(.off)
                try await Task.sleep(for: .milliseconds(300))
                try await site.turnSwitch(.on)
            }
        }
        return Result(
            way: way, delays: delays.sorted(), rate: rates.sorted()[rates.count / 2])
    }

    /// Waits until packets pass, and have for a moment.
    private func flowing() async throws {
        try await site.waitUntil(
            within: .seconds(40), "packets pass from the technician to the machine",
            every: .milliseconds(20)
        ) {
            let before = Exchange.Tally(path: tally).received
            try await Task.sleep(for: .milliseconds(30))
            return Exchange.Tally(path: tally).received > before + 100
        }
    }

    private func startStream() async throws {
        let sink = try await site.startBackground(
            in: .plc, name: "exchange",
            ["chrt", "-f", "20"] + exchange("10.8.0.20", rate: 0, tally: tally))
        try await sink.waitUntilReady(saying: "ready", within: .seconds(5))
        _ = try await site.startBackground(
            in: .remote, name: "exchange",
            ["chrt", "-f", "20"]
                + exchange("\(Site.machineAddress)", rate: Self.rate, tally: tally + ".sent"))
    }

    private func exchange(_ to: String, rate: Int, tally: String) -> [String] {
        [
            site.programs.site, "exchange", "--to", to, "--rate", "\(rate)", "--tally", tally,
        ]
    }

    /// What stands for other machines, or for an interrupt line, must not wait for this one's processor.
    private func favourTheSite() async throws {
        for part in site.parts where ["fakegpiod", "openvpn", "technician"].contains(part.name) {
            guard let processID = part.processID else { continue }
            let priority = part.name == "fakegpiod" ? "60" : "15"
            let result = try await Command.run([
                "/usr/bin/chrt", "--fifo", "--pid", priority, "\(processID)",
            ])
            guard result.exit.isSuccess else {
                throw SiteError("cannot make \(part.name) real-time: \(result.error)")
            }
        }
    }
}

/// The VPN server's management socket, kept open.
private final class ServerManagement {
    private let socket: FileDescriptor

    init(_ directory: SiteDirectory) throws {
        let path = directory.vpn + "/management"
        let address = try UnixAddress(path, to: "connect to \(path)")
        socket = try UnixSocket.open(SOCK_STREAM, to: "connect to \(path)")
        let raw = socket.raw
        _ = try check("connect to \(path)") { address.with { connect(raw, $0, $1) } }
    }

    /// Returns the moment just before the order was given.
    func order(_ text: String) throws -> Instant {
        let now = SystemClock().now()
        try socket.writeAll(Array((text + "\n").utf8))
        return now
    }
}
