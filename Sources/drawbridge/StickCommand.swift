import ArgumentParser
import Base
import Configuration
import Glibc
import Linux
import Settings

/// `drawbridge stick …`
struct StickCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stick",
        abstract: "A signed config on a USB stick, for a router without a keyboard.",
        discussion: "Off until /etc/drawbridge/stick.pub holds the builder's public key.",
        subcommands: [
            Serial.self, Sign.self, Check.self, StickReadCommand.self, StickApplyCommand.self,
        ])

    /// What a router judges a stick by.
    struct Place: ParsableArguments {
        @Option(help: "The public keys (Ed25519, PEM) that may sign.")
        var keys = "/etc/drawbridge/stick.pub"

        @Option(help: "The router's serial; that of this machine when none is given.")
        var serial: String?

        @Option(help: "Where it stands what a stick has put in force last.")
        var record = "/var/lib/drawbridge-stick/last"

        @Option(help: "The config file.")
        var config = Drawbridge.defaultConfig

        func judge() throws(StickRefusal) -> StickJudge {
            let known = try StickFiles.keys(keys)
            var name = serial
            if name == nil { name = try DeviceSerial.ofThisMachine().text }
            return StickJudge(
                serial: name ?? "", keys: known.count, last: try StickFiles.record(record),
                signer: { StickFiles.signer($0, of: known) })
        }
    }

    /// `drawbridge stick serial`
    struct Serial: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print this router's serial, to which a config is bound.")

        func run() throws {
            do {
                let serial = try DeviceSerial.ofThisMachine()
                Terminal.output.print(serial.text)
                Terminal.error.print("from: \(serial.origin)")
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }

    /// `drawbridge stick sign`
    struct Sign: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign a config for one router, on the builder's computer.",
            discussion:
                "Checks it first, with a conf.d beside it, which is not signed. What comes out goes into the root "
                + "folder of a stick formatted as FAT32. A key: openssl genpkey -algorithm ed25519 -out stick.key"
        )

        @Argument(help: "The config file.")
        var config: String

        @Option(help: "The router's serial, from `drawbridge stick serial`.")
        var serial: String

        @Option(help: "The private key: Ed25519, PEM.")
        var key: String

        @Option(help: "A larger one is newer; the present second when none is given.")
        var sequence: UInt64?

        @Option(help: "The file to write; drawbridge-SERIAL.toml when none is given.")
        var output: String?

        func validate() throws {
            guard SignedConfiguration.isSerial(serial) else {
                throw ValidationError(
                    "--serial: letters, digits, '.', '_' and '-', at most "
                        + "\(SignedConfiguration.Limits.serialCharactersMax)")
            }
            guard sequence ?? 0 <= SignedConfiguration.Limits.sequenceMax else {
                throw ValidationError(
                    "--sequence: at most \(SignedConfiguration.Limits.sequenceMax)")
            }
        }

        func run() throws {
            do {
                let bytes = try SmallFile.read(
                    config, bytesMax: SignedConfiguration.Limits.fileBytesMax)
                let main = SettingsSource(name: config, bytes: bytes)
                _ = try Settings.parse(try SettingsFiles.sources(main: main, partsOf: config))
                let now = UInt64(max(0, SystemClock().wall().milliseconds / 1000))
                let signer = try Ed25519PrivateKey(key)
                let path = output ?? SignedConfiguration.fileName(serial: serial)
                let signed = try SignedConfiguration(
                    signing: bytes, serial: serial, sequence: sequence ?? now, name: path
                ) { try signer.sign($0) }
                try SmallFile.replace(path, with: signed.bytes, mode: 0o644)
                Terminal.output.print(
                    "\(path): for the router \(serial), sequence \(signed.sequence), by the key "
                        + signer.publicKey.fingerprint)
            } catch let error as SettingsErrors {
                for line in error.lines { Terminal.error.print(line) }
                Terminal.error.print("not signed")
                throw ExitCode(1)
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }

    /// `drawbridge stick check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is right and wrong with a signed config.",
            discussion:
                "On the router: whether it would take it. Elsewhere with --serial and --keys. Exit status: "
                + "0 it would be taken, 1 it would not.")

        @Argument(help: "The signed file.")
        var file: String

        @OptionGroup var place: Place

        func run() throws {
            do {
                let name = file.split(separator: "/").last.map(String.init) ?? file
                let bytes = try SmallFile.read(
                    file, bytesMax: SignedConfiguration.Limits.fileBytesMax)
                let signed = try SignedConfiguration(bytes, name: name)
                Terminal.output.print("for the router: \(signed.serial)")
                Terminal.output.print("sequence:       \(signed.sequence)")
                let accepted = try place.judge().judge(.init(name: name, bytes: bytes))
                Terminal.output.print("signed by:      \(accepted.record.key)")
                let sources = try SettingsFiles.sources(
                    main: SettingsSource(name: name, bytes: bytes), partsOf: place.config)
                _ = try Settings.parse(sources)
                Terminal.output.print(
                    accepted.isKnown
                        ? "fine; it was put in force already" : "fine: it would be put in force")
            } catch let error as SettingsErrors {
                for line in error.lines { Terminal.error.print(line) }
                throw ExitCode(1)
            } catch {
                Terminal.error.print("\(error)")
                throw ExitCode(1)
            }
        }
    }
}

/// `drawbridge stick read`, for drawbridge-stick@.service: standard input is the stick.
struct StickReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read",
        abstract: "Take the signed configs from a stick's FAT file system: for the service.",
        discussion: "Standard input is the device; what was found goes to standard output.")

    func run() throws {
        let bundle = StickReader.bundle(of: OpenStick(descriptor: 0))
        guard Terminal.output.write(bundle.encoded()) else { throw ExitCode(1) }
    }
}
