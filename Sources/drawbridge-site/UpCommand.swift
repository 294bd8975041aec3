import ArgumentParser
import Base
import Site

/// `drawbridge-site up`
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start a site, say how to look around, and hold it until Ctrl-C.")

    @Flag(help: "Keep the site's directory (logs, keys, state) at the end.")
    var keep = false

    @Option(help: "Build directory with our own programs. (default: that of this program)")
    var programs: String?

    func run() async throws {
        var options = SiteOptions()
        options.keep = keep ? .always : .never
        options.programs = programs.map { Programs(directory: $0) }
        let chosen = options
        let finished = try await Interruption.cancelling {
            try await Site.with(chosen) { site in
                let within = Int64(site.startedWithin.milliseconds)
                Output.line(
                    """
                    The site is up (\(DurationText.format(.milliseconds(within)))).
                    Directory: \(site.directory.path)
                    Its router has no daemon yet: ./daemon below starts one.

                    \(try site.lookAround())
                    """)
                while true { try await Task.sleep(for: .seconds(3600)) }
            }
        }
        if !finished { Output.line("The site is gone.") }
    }
}
