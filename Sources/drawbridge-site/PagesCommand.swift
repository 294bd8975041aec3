import ArgumentParser
import Base
import Site

/// `drawbridge-site pages`
struct PagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pages",
        abstract: "Write the status page in three states of the site, for pictures (2 minutes).")

    @Option(help: "Existing directory for normal.html, degraded.html and offline.html.")
    var output: String

    func run() async throws {
        let output = output
        try await Site.with { site in
            try await site.startDaemon(
                config: Site.shippedConfiguration().replacing(
                    "#listen = \"192.168.140.1:80\"", with: "listen = \"192.168.140.1:80\""))
            func save(_ name: String) async throws {
                let page = try await site.output(
                    in: .plc, ["curl", "-sf", "-m", "5", "http://192.168.140.1/"])
                try site.directory.write(page, to: "\(output)/\(name).html")
                Output.line("\(name).html")
            }
            try await site.addLoss(.b, percent: 10)
            try await Task.sleep(for: .seconds(70))
            try await save("normal")
            try await site.pullCable(.a)
            try await site.addLoss(.c, percent: 40)
            try await site.turnSwitch(.off)
            await site.parts.first { $0.name == "plc" }?.stop()
            try await Task.sleep(for: .seconds(40))
            try await save("degraded")
            try await site.cutSilently(.b)
            try await site.cutSilently(.c)
            try await Task.sleep(for: .seconds(25))
            try await save("offline")
        }
    }
}
