import ArgumentParser
import Base
import Console
import Glibc
import Linux
import Settings

/// `drawbridge support-bundle`
struct SupportBundleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "support-bundle",
        abstract: "Collect what a developer needs in one .tar, without secrets.",
        discussion: """
            Status, findings of the doctor, events, config files, firewall rules, routes, versions and the journal. \
            Keys and certificates are not read; passwords, tokens and keys in what is read are removed. Look into it \
            before you send it.
            """)

    @Option(name: .shortAndLong, help: "The file to write; it must not exist yet.")
    var output = "drawbridge-support.tar"

    @Option(help: "The config file.")
    var config = Drawbridge.defaultConfig

    @Option(help: "The daemon's control socket.")
    var socket = "/run/drawbridge/control.sock"

    func run() async throws {
        var archive = TarArchive(seconds: SystemClock().wall().milliseconds / 1000)
        let files = await daemonFiles() + eventFiles() + configFiles() + (await systemFiles())
        for (name, text) in files {
            archive.add("drawbridge-support/\(name)", Redactor.clean(text))
        }
        do {
            let file = try FileDescriptor(
                open: output, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try file.writeAll(archive.finished)
        } catch {
            Terminal.error.print("\(error); choose another --output")
            throw ExitCode(1)
        }
        Terminal.output.print("\(output): \(files.map(\.0).joined(separator: ", "))")
        Terminal.output.print(
            "Passwords, tokens and keys were removed. Look into it before you send it.")
    }

    private typealias File = (String, String)

    /// What cannot be had is told in its place.
    private func daemonFiles() async -> [File] {
        let client = ConsoleClient(path: socket)
        func ask(_ request: ConsoleRequest, _ text: (ConsoleReply) throws -> String?) async
            -> String
        {
            do {
                let reply = try await client.send(request, timeout: DoctorService.walkMax)
                return try text(reply) ?? "no answer"
            } catch {
                return "\(error)"
            }
        }
        func json(_ value: (some Encodable)?) throws -> String? {
            try value.map { String(decoding: try ConsoleJSON.encode($0), as: UTF8.self) }
        }
        return [
            ("status.json", await ask(.status) { try json($0.status) }),
            ("status.txt", await ask(.status) { $0.status.map { StatusText.render($0) } }),
            ("doctor.txt", await ask(.doctor) { $0.doctor?.text() }),
            ("metrics.txt", await ask(.metrics) { $0.text }),
        ]
    }

    private func eventFiles() -> [File] {
        let state =
            (try? Settings.load(file: config))?.device.stateDirectory ?? "/var/lib/drawbridge"
        do {
            let lines = try EventFiles.read(state + "/events", limit: 5000).map { line in
                switch line {
                case .entry(let entry): String(decoding: try entry.line(), as: UTF8.self)
                case .damaged(let file, let line): "damaged: \(file):\(line)\n"
                }
            }
            return [("events.jsonl", lines.joined())]
        } catch {
            return [("events.jsonl", "\(error)\n")]
        }
    }

    private func configFiles() -> [File] {
        do {
            return try SettingsFiles.sources(main: config).map { source in
                let name = source.name.split(separator: "/").last.map { String($0) } ?? "config"
                return ("config/\(name)", String(decoding: source.bytes, as: UTF8.self))
            }
        } catch {
            return [("config/errors.txt", error.lines.joined(separator: "\n"))]
        }
    }

    private func systemFiles() async -> [File] {
        var files: [File] = [("versions.txt", "drawbridge \(Drawbridge.version)\n")]
        let commands: [(String, [String])] = [
            ("system.txt", ["/bin/uname", "-a"]),
            (
                "packages.txt",
                [
                    "/usr/bin/dpkg-query", "-W", "drawbridge", "nftables", "openvpn",
                    "libmosquitto1",
                    "libmodbus5", "libgpiod2", "libmicrohttpd12", "libssl3",
                ]
            ),
            ("firewall.nft", ["/usr/sbin/nft", "list", "table", "inet", "drawbridge"]),
            ("addresses.txt", ["/sbin/ip", "-4", "address"]),
            ("routes.txt", ["/sbin/ip", "-4", "route", "show", "table", "all"]),
            ("rules.txt", ["/sbin/ip", "-4", "rule"]),
            (
                "journal.txt",
                ["/usr/bin/journalctl", "-u", "drawbridge", "-n", "3000", "--no-pager"]
            ),
        ]
        for (name, command) in commands {
            do {
                let result = try await Command.run(command)
                files.append((name, result.output + result.error))
            } catch {
                files.append((name, "\(error)\n"))
            }
        }
        return files
    }
}
