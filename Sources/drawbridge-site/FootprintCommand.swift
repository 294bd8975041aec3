import ArgumentParser
import Base
import Site

/// `drawbridge-site footprint`
struct FootprintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "footprint",
        abstract: "Measure what the daemon needs in a working site, as rows of a table.")

    @Option(help: "The daemon's binary. (default: that beside this program)")
    var daemon: String?

    @Option(help: "How long it works before it is measured.")
    var minutes = 10

    @Option(help: "How often it is started.")
    var starts = 9

    @Option(
        help: "Read so many values once a second, with the VPN up. (default: the shipped config)")
    var tags: Int?

    @Option(help: "Ask each uplink this often, in milliseconds. (default: as the shipped config)")
    var interval: Int?

    @Flag(help: "Measure what one would put together from Debian's packages, reading 200 values.")
    var rival = false

    @Flag(help: "Also list the daemon's threads with their processor time.")
    var threads = false

    func validate() throws {
        guard (1...120).contains(minutes), (1...99).contains(starts) else {
            throw ValidationError("--minutes takes 1 to 120, --starts 1 to 99")
        }
        guard (1...200).contains(tags ?? 1) else { throw ValidationError("--tags takes 1 to 200") }
        guard (100...3_600_000).contains(interval ?? 100) else {
            throw ValidationError("--interval takes 100 to 3600000")
        }
        let missing = rival ? Site.rivalObstacles() : []
        guard missing.isEmpty else {
            throw ValidationError(
                "missing: \(missing.joined(separator: ", ")); bench/setup.sh installs them")
        }
    }

    func run() async throws {
        var options = SiteOptions()
        var programs = try Programs.besideThisExecutable()
        if let daemon { programs.daemon = daemon }
        options.programs = programs
        let chosen = options
        let finished = try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                if rival { try await measureRival(in: site) } else { try await measure(in: site) }
            }
        }
        guard finished else { throw ExitCode(130) }
    }

    private func measure(in site: Site) async throws {
        let print = try await site.measureFootprint(
            starts: starts, period: .seconds(60 * minutes), tags: tags,
            interval: interval)
        let ran = DurationText.format(.seconds(Int64(print.ran.inSeconds)))
        row("start to `READY=1`, median of \(starts)", Figure.time(print.medianStart))
        row("memory (RSS) after \(ran) in the site", "\(print.resident)")
        row("of it the process's own (anonymous)", "\(print.anonymous)")
        row("processor time while it works", share(print.processorShare))
        row("records in the cloud by then", Figure.count(print.recordsDelivered))
        if tags != nil, let child = print.child {
            row("`openvpn` beside it: processor time", share(child.processorShare))
            row("`openvpn` beside it: memory (RSS)", "\(child.resident)")
        }
        guard threads else { return }
        for thread in print.threads where thread.share > 0 {
            row("thread `\(thread.name)`", share(thread.share))
        }
    }

    private func measureRival(in site: Site) async throws {
        let found = try await site.measureRival(period: .seconds(60 * minutes))
        for process in found.processes {
            row("`\(process.name)`: processor time", share(process.processorShare))
            row("`\(process.name)`: memory (RSS)", "\(process.resident)")
        }
        let own = found.processes.filter { $0.name != "openvpn" }
        row("all but `openvpn`: processor time", share(own.map(\.processorShare).reduce(0, +)))
        row(
            "all but `openvpn`: memory (RSS; what they share counts each time)",
            "\(ByteSize(bytes: own.map(\.resident.bytes).reduce(0, +)))")
        row(
            "all but `openvpn`: memory (PSS; what they share counts once)",
            "\(ByteSize(bytes: own.map(\.proportional.bytes).reduce(0, +)))")
        row("start to the first reading in the cloud", Figure.time(found.firstReading))
        row("readings in the cloud a second", "\(found.readingsPerSecond)")
    }

    private func row(_ what: String, _ figure: String) { Output.line("| \(what) | \(figure) |") }

    private func share(_ share: Double) -> String {
        "\(Figure.time(.seconds(1) * share)) a second"
    }
}
