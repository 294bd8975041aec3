import Base
import Console
import Glibc
import Linux
import Testing

@testable import Site

/// A USB stick with a signed config, from its FAT file system to the running daemon (behaviour 5.7).
@Suite(
    "A USB stick", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(3)))
struct StickTests {
    @Test(
        "behaviour 5.7: taken, known, too old; rolled back with a silent cloud and tried again; each is an event"
    )
    func lifeOfASite() async throws {
        try await Site.with { try await lifeOfASite(in: $0) }
    }

    private func lifeOfASite(in site: Site) async throws {
        try await site.startDaemon(config: config())
        try await connected(site)
        try await makeKeys(site)

        // A change that could cut the cloud session off proves itself.
        try await makeStick(site, config(lanToWAN: "private"), sequence: 10)
        let kept = try await put(site)
        #expect(kept.exit == .status(0), "\(kept)")
        #expect(kept.output.contains("kept, config 2 is in force"))
        let file = try SmallFile.readText(site.directory.configurationFile)
        #expect(file.hasPrefix("# drawbridge stick 1\n# serial: SITE-1\n# sequence: 10\n"))
        #expect(try await site.ping(from: .plc, to: "10.1.0.66"))

        // Put in again, it changes nothing; an older one is refused.
        let again = try await put(site)
        #expect(again.exit == .status(0) && again.output.contains("put in force already"))

        // Another stick at work is waited for, but not for ever; nothing of this one stays.
        try await shell(site, "flock stick/last.lock sleep 4 >/dev/null 2>&1 </dev/null &")
        let busy = try await put(site, queue: 1)
        #expect(busy.exit == .status(1), "\(busy)")
        #expect(busy.output.contains("another stick was at work for 1 s"), "\(busy)")
        #expect(access(site.directory.path + "/bundle", F_OK) != 0)
        let waited = try await put(site)
        #expect(waited.exit == .status(0) && waited.output.contains("put in force already"))

        try await makeStick(site, config(), sequence: 9)
        let old = try await put(site)
        #expect(old.exit == .status(1) && old.output.contains("sequence 9 is not newer than 10"))

        try await makeStick(site, config(), sequence: 11, isSigned: false)
        let unsigned = try await put(site)
        #expect(
            unsigned.exit == .status(1) && unsigned.output.contains("not signed"), "\(unsigned)")

        // Nothing proves it while the cloud is silent; put in again later, it does.
        try await makeStick(site, config(), sequence: 12)
        try site.pauseCloud()
        let back = try await put(site)
        #expect(back.exit == .status(1) && back.output.contains("rolled back"), "\(back)")
        #expect(try SmallFile.readText(site.directory.configurationFile) == file)
        try site.resumeCloud()
        try await connected(site)
        let second = try await put(site)
        #expect(second.exit == .status(0) && second.output.contains("kept, config 3"), "\(second)")

        // Without a daemon it lies there for the next one.
        try await site.killDaemon()
        try await makeStick(site, config(lanToWAN: "private"), sequence: 13)
        let alone = try await put(site)
        #expect(alone.output.contains("no daemon runs"), "\(alone)")
        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(10), "the new config") {
            try await site.ping(from: .plc, to: "10.1.0.66")
        }

        let events = try await site.output(in: .router, [site.programs.daemon, "events"])
        for words in [
            "USB stick, key SHA256:", "drawbridge-SITE-1.toml, sequence 10: kept, config 2",
            "sequence 10: put in force already", "another stick was at work",
            "sequence 9 is not newer than 10",
            "sequence 12: rolled back", "sequence 12: kept, config 3",
        ] { #expect(events.contains(words), "\(words) in:\n\(events)") }
    }

    @Test(
        "behaviour 5.7: the daemon killed during the trial: the config before comes back, also for later sticks"
    )
    func killedOnTrial() async throws {
        try await Site.with { try await killedOnTrial(in: $0) }
    }

    private func killedOnTrial(in site: Site) async throws {
        try await site.startDaemon(config: config())
        try await connected(site)
        try await makeKeys(site)
        let before = try SmallFile.readText(site.directory.configurationFile)
        try await makeStick(site, config(lanToWAN: "private", trial: "20s"), sequence: 20)

        // The service waits for the daemon that begins anew, which goes on without what was not confirmed.
        try site.pauseCloud()
        async let outcome = put(site)
        try await onTrial(site)
        try await site.killDaemon()
        try await site.startDaemon()
        let back = try await outcome
        #expect(
            back.exit == .status(1) && back.output.contains("sequence 20: rolled back"), "\(back)")
        #expect(try SmallFile.readText(site.directory.configurationFile) == before)

        // As after a power cut: the file holds what is on trial, and nobody is there who would put back the one before.
        let unconfirmed = config(lanToWAN: "private", trial: "21s")
        try site.directory.write(unconfirmed, to: site.directory.configurationFile)
        try await onTrial(site)
        let refused = try await put(site)
        #expect(refused.exit == .status(1), "\(refused)")
        #expect(refused.output.contains("another config is on trial for"), "\(refused)")
        try await site.killDaemon()
        try await site.startDaemon()
        #expect(try SmallFile.readText(site.directory.configurationFile) == unconfirmed)
        try await makeStick(site, config(lanToWAN: "private", trial: "3s"), sequence: 21)
        let next = try await put(site)
        #expect(
            next.exit == .status(1) && next.output.contains("sequence 21: rolled back"), "\(next)")
        #expect(next.output.contains("was not what is in force"), "\(next)")
        #expect(try SmallFile.readText(site.directory.configurationFile) == before)

        // Put in again when the cloud answers, it is tried again.
        try site.resumeCloud()
        try await connected(site)
        let again = try await put(site)
        #expect(again.exit == .status(0) && again.output.contains("kept, config 2"), "\(again)")
        #expect(try await site.ping(from: .plc, to: "10.1.0.66"))

        // Nor does `drawbridge apply` take what was on trial for the config before.
        let signed = try SmallFile.readText(site.directory.configurationFile)
        try site.pauseCloud()
        try site.directory.write(config(trial: "20s"), to: site.directory.configurationFile)
        try await onTrial(site)
        try await site.killDaemon()
        try await site.startDaemon()
        try await site.waitUntil(within: .seconds(10), "the daemon's answer") {
            await status(site) != nil
        }
        let fresh = site.directory.path + "/fresh.toml"
        try site.directory.write(config(trial: "2s"), to: fresh)
        let applied = try await site.run(
            in: .router, [site.programs.daemon, "apply", "--yes", fresh], timeout: .seconds(40))
        try site.resumeCloud()
        #expect(applied.exit == .status(1) && applied.error.contains("rolled back"), "\(applied)")
        #expect(applied.output.contains("was not what is in force"), "\(applied)")
        #expect(try SmallFile.readText(site.directory.configurationFile) == signed)
    }

    // MARK: parts

    /// A FAT16 image with a config that is signed for this router.
    private func makeStick(
        _ site: Site, _ config: String, sequence: Int, isSigned: Bool = true
    ) async throws {
        try site.directory.write(config, to: site.directory.path + "/plain.toml")
        let file = isSigned ? "signed.toml" : "plain.toml"
        try await shell(
            site,
            """
            \(site.programs.daemon) stick sign plain.toml --serial SITE-1 --key stick.key --sequence \(sequence) \
                --output signed.toml
            rm -f stick.img
            mkfs.vfat -C -F 16 stick.img 20000
            mcopy -i stick.img \(file) ::drawbridge-SITE-1.toml
            """)
    }

    private func makeKeys(_ site: Site) async throws {
        try await shell(
            site,
            "openssl genpkey -algorithm ed25519 -out stick.key; openssl pkey -in stick.key -pubout -out stick.pub"
        )
    }

    private func status(_ site: Site) async -> StatusDocument? {
        guard let text = try? await site.status() else { return nil }
        return try? ConsoleJSON.decode(StatusDocument.self, from: Array(text.utf8))
    }

    private func connected(_ site: Site) async throws {
        try await site.waitUntil(within: .seconds(30), "the cloud session") {
            await status(site)?.cloud.isConnected ?? false
        }
    }

    private func onTrial(_ site: Site) async throws {
        try await site.waitUntil(within: .seconds(15), "the trial") {
            await status(site)?.configuration.trialSeconds != nil
        }
    }

    /// What the two services do.
    private func put(_ site: Site, queue: Int = 60) async throws -> Command.Result {
        try await shell(site, "\(site.programs.daemon) stick read <stick.img >bundle")
        return try await site.run(
            in: .router,
            [
                site.programs.daemon, "stick", "apply", site.directory.path + "/bundle", "--keys",
                site.directory.path + "/stick.pub", "--serial", "SITE-1", "--record",
                site.directory.path + "/stick/last", "--patience", "3",
                "--queue", "\(queue)",
            ], timeout: .seconds(60))
    }

    private func shell(_ site: Site, _ script: String) async throws {
        let result = try await site.run(
            in: .router,
            [
                "/bin/sh", "-ec",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin; cd \(site.directory.path)\n" + script,
            ], timeout: .seconds(20))
        try #require(result.exit == .status(0), "\(script): \(result.error)")
    }

    private func config(lanToWAN: String = "neither", trial: String = "4s") -> String {
        ((try? Site.shippedConfiguration()) ?? "")
            .replacing("\ntrial = \"1m\"", with: "\ntrial = \"\(trial)\"")
            .replacing("\nlan-to-wan = \"neither\"", with: "\nlan-to-wan = \"\(lanToWAN)\"")
    }
}
