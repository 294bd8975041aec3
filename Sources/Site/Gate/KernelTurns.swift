import Base
import Glibc
import Linux

/// Turns of a key on a line of a real GPIO driver, with faults by seed, while packets are sent through the gate
/// in both directions: run inside the test kernel (`scripts/kernel/run -g 8,3=vpn-switch`), which it changes
/// as it likes.
///
/// The router is the kernel's own network namespace; cables stand for the tunnel and the LAN.
package struct KernelTurns: Sendable {
    /// What happens while the key is turned off.
    package enum Fault: String, CaseIterable, Sendable {
        case none = "nothing else"
        case bounce = "the contact bounces, 3 to 49 edges"
        case killed = "the daemon is killed, started again"
        case ended = "the daemon is ended, started again"
        case hung = "the daemon is stopped for up to 0.8 s"
        case removed = "the chip is removed, put back"

        /// How long the gate may be open after the key was turned off: the debounce time and 5 ms; and while
        /// nobody looks, as long as the lease, or, since this kernel does not tell, until the next look.
        package var allowed: Duration {
            switch self {
            case .none, .bounce, .killed, .ended: .milliseconds(55)
            case .hung: .milliseconds(500 + 55)
            case .removed: .milliseconds(100 + 55)
            }
        }
    }

    package struct Tally: Sendable {
        package var turns = 0
        /// From the key off to the last packet, either way; before it is on again.
        package var worst = Duration.zero
        /// How often a packet came later than `allowed`.
        package var tooLate = 0

        package init() {}
    }

    package enum Limits {
        /// From the key on, and all well, until packets pass both ways.
        package static let openAgain = Duration.seconds(20)
        /// Attempts to put the simulated chip back.
        package static let putBackMax = 50
    }

    private let daemon: String
    private let site: String
    private let folder = "/run/turns"
    private let clock = SystemClock()

    package init(daemon: String, site: String) {
        self.daemon = daemon
        self.site = site
    }

    /// Turns the key off and on again `count` times; throws when it does not open again.
    package func run(seed: UInt64, count: Int) async throws -> [Fault: Tally] {
        guard access(Self.live, W_OK) == 0 else {
            throw SiteError("no simulated GPIO chip here: run this in the test kernel")
        }
        var random = Chance(seed: seed)
        var tallies: [Fault: Tally] = [:]
        try await layCables()
        try pull(on: false)
        var child = try startDaemon()
        try await Task.sleep(for: .seconds(1))
        let streams = try [("user", "192.168.140.10"), ("plc", "10.8.0.66")].map { host, to in
            try ChildProcess([
                "/usr/sbin/ip", "netns", "exec", host, site, "exchange", "--to", to, "--rate",
                "300",
                "--tally", tally(host),
            ])
        }
        for _ in 0..<count {
            try pull(on: true)
            try await passing(seed)
            try await Task.sleep(for: .milliseconds(random.below(150)))
            let fault = Fault.allCases[Int(random.below(Int64(Fault.allCases.count)))]
            let turned = clock.now()
            switch fault {
            case .none:
                try pull(on: false)
            case .bounce:
                for number in 0...(2 * random.below(24) + 2) {
                    try pull(on: number % 2 == 1)
                    usleep(UInt32(50 + random.below(400)))
                }
            case .killed, .ended:
                try pull(on: false)
                usleep(UInt32(random.below(2000)))
                child.send(signal: fault == .killed ? SIGKILL : SIGTERM)
                _ = await child.waitForExit()
                child = try startDaemon()
            case .hung:
                child.send(signal: SIGSTOP)
                usleep(UInt32(random.below(50_000)))
                try pull(on: false)
                try await Task.sleep(for: .milliseconds(random.below(800)))
                child.send(signal: SIGCONT)
            case .removed:
                try pull(on: false)
                try write("0", to: Self.live)
            }
            let rest = fault.allowed + .milliseconds(random.below(200))
            try await Task.sleep(for: rest)
            let last = max(
                Exchange.Tally(path: tally("user")).lastArrival,
                Exchange.Tally(path: tally("plc")).lastArrival)
            // Of a bounce the last edge counts; it took at most 50 × 0.45 ms.
            let delay = max(.zero, last - turned)
            tallies[fault, default: Tally()].turns += 1
            tallies[fault, default: Tally()].worst = max(tallies[fault]?.worst ?? .zero, delay)
            if delay > fault.allowed { tallies[fault, default: Tally()].tooLate += 1 }
            if fault == .removed {
                try await putBack()
                try await nameTheChip()
                // The line is asked for again once a second.
                try await Task.sleep(for: .milliseconds(1200))
            }
        }
        for stream in streams { _ = await stream.stop(grace: .zero) }
        _ = await child.stop(grace: .seconds(5))
        return tallies
    }

    private static let chip = "/sys/kernel/config/gpio-sim/chip"
    private static let live = chip + "/live"

    /// The key's contact pulls the line down; open, it is pulled up, which means off.
    private func pull(on: Bool) throws {
        try write(on ? "pull-down" : "pull-up", to: folder + "/wire")
    }

    /// The simulated driver now and then refuses to come back at once (ENXIO: its probe was not done yet).
    private func putBack() async throws {
        for _ in 0..<Limits.putBackMax {
            if (try? write("1", to: Self.live)) != nil { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw SiteError("the simulated chip does not come back: \(Self.live)")
    }

    /// Gives the chip a name that stays, as a rule of udev does: this kernel gives a chip that comes back
    /// another number.
    private func nameTheChip() async throws {
        let result = try await Command.run([
            "/bin/sh", "-c",
            "ln -sfn /dev/gpiochip* \(folder)/chip && "
                + "ln -sfn /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio3/pull \(folder)/wire",
        ])
        guard result.exit.isSuccess else {
            throw SiteError("cannot find the simulated chip: \(result.error)")
        }
    }

    private func write(_ text: String, to path: String) throws {
        try FileDescriptor(open: path, flags: O_WRONLY).writeAll(Array(text.utf8))
    }

    private func tally(_ host: String) -> String { "\(folder)/\(host)" }

    private func startDaemon() throws -> ChildProcess {
        try ChildProcess(
            [daemon, "daemon", "--config", folder + "/drawbridge.toml"],
            output: .file(folder + "/daemon.log"), error: .file(folder + "/daemon.log"))
    }

    private func layCables() async throws {
        _ = mkdir(folder, 0o755)
        try await nameTheChip()
        // The simulated driver takes a bias for a turn of the key: it would undo ours at each request.
        let shipped = try Site.shippedConfiguration()
        try FileDescriptor(
            open: folder + "/drawbridge.toml", flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644
        ).writeAll(
            Array(
                shipped.split(separator: "\n", omittingEmptySubsequences: false).map {
                    $0.hasPrefix("bias")
                        ? "bias = \"as-is\""
                        : $0.hasPrefix("chip") ? "chip = \"\(folder)/chip\"" : String($0)
                }.joined(separator: "\n").utf8))
        for command in [
            "netns add user", "netns add plc",
            "link add vpn0 type veth peer name eth0 netns user",
            "link add br-lan type veth peer name eth0 netns plc",
            "address add 10.8.0.10/24 dev vpn0", "address add 192.168.140.1/24 dev br-lan",
            "link set vpn0 up", "link set br-lan up",
            "-n user address add 10.8.0.66/24 dev eth0", "-n user link set eth0 up",
            "-n user route add default via 10.8.0.10",
            "-n plc address add 192.168.140.10/24 dev eth0", "-n plc link set eth0 up",
            "-n plc route add default via 192.168.140.1",
        ] {
            let result = try await Command.run(
                ["/usr/sbin/ip"] + command.split(separator: " ").map(String.init))
            guard result.exit.isSuccess else {
                throw SiteError("cannot do `ip \(command)`: \(result.error)")
            }
        }
    }

    /// Waits until packets pass in both directions.
    private func passing(_ seed: UInt64) async throws {
        let begin = [tally("user"), tally("plc")].map { Exchange.Tally(path: $0).received }
        let deadline = clock.now() + Limits.openAgain
        while zip([tally("user"), tally("plc")], begin).contains(where: { path, count in
            Exchange.Tally(path: path).received < count + 10
        }) {
            guard clock.now() < deadline else {
                let log =
                    (try? SmallFile.readText(folder + "/daemon.log", bytesMax: 16 << 20)) ?? ""
                throw SiteError(
                    "seed \(seed): the key is on and all is well, and nothing passes: "
                        + log.split(separator: "\n").suffix(8).joined(separator: "\n"))
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
