import Base
import Glibc
import Linux
import Settings
import TestSupport
import Testing

@testable import Configuration

/// A signed config: who takes it, and who does not (behaviour 5.7).
@Suite("config: signed files of USB sticks", .timeLimit(.minutes(1)))
struct StickTests {
    private let folder: TemporaryFolder
    private let key: Ed25519PrivateKey
    private static let serial = "10000000a3b1c2d4"
    private static let config = Array("[device]\nname = \"press-line-4\"\n".utf8)

    init() throws {
        folder = try TemporaryFolder()
        key = try StickKeys.make(in: folder.path, "builder")
    }

    private func signed(
        _ sequence: UInt64 = 7, for serial: String = serial, config: [UInt8] = config
    ) throws -> SignedConfiguration {
        try SignedConfiguration(
            signing: config, serial: serial, sequence: sequence, name: "f", { try key.sign($0) })
    }

    private func judge(last: StickRecord? = nil, serial: String = serial) -> StickJudge {
        let keys = [key.publicKey]
        return StickJudge(
            serial: serial, keys: 1, last: last, signer: { StickFiles.signer($0, of: keys) })
    }

    private func bundle(_ files: [(String, [UInt8])]) -> StickBundle {
        var bundle = StickBundle()
        for (name, bytes) in files { bundle.add(.init(name: name, bytes: bytes)) }
        return bundle
    }

    @Test("behaviour 5.7: what is signed for this router is taken, with its key, sequence and text")
    func taken() throws {
        let file = try signed()
        let lines = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
        #expect(
            lines[0...2] == ["# drawbridge stick 1", "# serial: \(Self.serial)", "# sequence: 7"])
        #expect(lines[4] == "[device]")
        let accepted = try judge().judge(bundle([("drawbridge-a.toml", file.bytes)]))
        #expect(accepted.file == file && accepted.record.key == key.publicKey.fingerprint)
        #expect(!accepted.isKnown)
        // Signing again replaces what the first signature has put there.
        #expect(try signed(8, config: file.bytes).bytes == signed(8).bytes)
    }

    @Test("behaviour 5.7: each reason to refuse has a sentence of its own, with file and line")
    func refused() throws {
        let good = try signed()
        var changed = good.bytes
        changed[changed.count - 3] ^= 1
        let stranger = try StickKeys.make(in: folder.path, "stranger")
        let foreign = try SignedConfiguration(
            signing: Self.config, serial: Self.serial, sequence: 9, name: "f",
            { try stranger.sign($0) })
        let large = [UInt8](repeating: 10, count: SignedConfiguration.Limits.fileBytesMax + 1)
        let cases: [([UInt8], String)] = [
            (Self.config, "drawbridge-a.toml:1:1: not signed"),
            (changed, "drawbridge-a.toml:4:1: the signature is of none of the keys"),
            (foreign.bytes, "drawbridge-a.toml:4:1: the signature is of none of the keys"),
            (large, "drawbridge-a.toml is 262145 bytes long; at most 262144 are read"),
            (try signed(for: "other-1").bytes, "the stick's configs are for other-1, and this"),
            (try signed(6).bytes, "drawbridge-a.toml:3:1: sequence 6 is not newer than 7"),
        ]
        let last = StickRecord(sequence: 7, digest: "0", key: "k")
        for (bytes, words) in cases {
            let error = #expect(throws: StickRefusal.self) {
                try judge(last: last).judge(bundle([("drawbridge-a.toml", bytes)]))
            }
            #expect("\(try #require(error))".contains(words), "\(words)")
        }
        let nothing = #expect(throws: StickRefusal.self) { try judge().judge(StickBundle()) }
        #expect("\(try #require(nothing))".contains("looks for drawbridge-\(Self.serial).toml"))
        let broken = #expect(throws: StickRefusal.self) {
            try judge().judge(StickBundle(trouble: "it is formatted as NTFS: format it as FAT32"))
        }
        #expect("\(try #require(broken))".contains("cannot be read: it is formatted as NTFS"))
    }

    @Test("behaviour 5.7: the same file again changes nothing, another of the same age is refused")
    func replayed() throws {
        let first = try judge().judge(bundle([("a.toml", try signed().bytes)]))
        let again = try judge(last: first.record).judge(bundle([("a.toml", first.file.bytes)]))
        #expect(again.isKnown)
        let other = try signed(7, config: Self.config + Array("# other\n".utf8))
        #expect(throws: StickRefusal.old(name: "a.toml", sequence: 7, last: 7)) {
            try judge(last: first.record).judge(bundle([("a.toml", other.bytes)]))
        }
    }

    @Test(
        "of several the newest that is signed for us is taken; forged and foreign ones are passed over"
    )
    func newest() throws {
        let (old, new) = (try signed(3), try signed(5))
        var forged = try signed(99).bytes
        forged[forged.count - 2] ^= 1
        let accepted = try judge().judge(
            bundle([
                ("a.toml", new.bytes), ("b.toml", old.bytes), ("c.toml", forged),
                ("d.toml", try signed(50, for: "other").bytes), ("e.toml", [1, 2, 3]),
            ]))
        #expect(accepted.file == new && accepted.name == "a.toml")
    }

    @Test("the first lines stand as they are written, and in no other way")
    func headers() throws {
        let text = String(decoding: try signed().bytes, as: UTF8.self)
        for (from, to, line) in [
            ("# sequence: 7", "# sequence: 07", 3), ("# sequence: 7", "# sequence: +7", 3),
            ("# sequence: 7", "# sequence: 4102444801", 3), ("# serial: 1", "# serial:  1", 2),
            ("# serial: 1", "# Serial: 1", 2), ("==", "=", 4), ("# signature: ", "# sig: ", 4),
        ] {
            let error = #expect(throws: StickRefusal.self) {
                try SignedConfiguration(Array(text.replacing(from, with: to).utf8), name: "f")
            }
            #expect("\(try #require(error))".hasPrefix("f:\(line):"), "\(to)")
        }
        #expect(throws: StickRefusal.notSigned(name: "f")) {
            try SignedConfiguration(Array(text.replacing("\n", with: "\r\n").utf8), name: "f")
        }
    }

    @Test("damaged files, bundles and records: refused, and nothing else", arguments: [1, 2, 3])
    func fuzzed(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let file = try signed()
        let whole = bundle([("a.toml", file.bytes), ("b.toml", try signed(for: "b").bytes)])
        let record = StickRecord(sequence: 7, digest: file.digest, key: "k")
        #expect(StickBundle(whole.encoded()) == whole)
        #expect(StickRecord(record.text) == record)
        for _ in 0..<4000 {
            let mutant = Self.mutant(of: file.bytes, &random)
            if mutant != file.bytes {
                #expect(throws: StickRefusal.self) {
                    try judge().judge(StickBundle.File(name: "a.toml", bytes: mutant))
                }
            }
            if let read = StickBundle(Self.mutant(of: whole.encoded(), &random)) {
                // Whatever it was understood as has the same meaning when it is written again.
                #expect(StickBundle(read.encoded()) == read)
            }
            let text = String(
                decoding: Self.mutant(of: Array(record.text.utf8), &random), as: UTF8.self)
            // One of a larger sequence may be read, but the one that was written in no other way.
            if let read = StickRecord(text) {
                let words = text.split(separator: " ", omittingEmptySubsequences: false)
                #expect(words.count == 4 && words[0] == "1" && text.last == "\n")
                #expect(words.count > 1 && words[1] == "\(read.sequence)")
                #expect(read != record || text == record.text)
            }
        }
    }

    private static func mutant(of bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where place < bytes.count:
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 9))
            case 3: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: bytes.suffix(40), at: place)
            }
        }
        return bytes
    }

    @Test("the owner's keys: several for a change of keys, no other kinds, not writable by others")
    func ownersKeys() throws {
        let stranger = try StickKeys.make(in: folder.path, "second")
        let path = folder.path + "/stick.pub"
        func write(_ bytes: [UInt8], mode: UInt32 = 0o644) throws {
            unlink(path)
            try SmallFile.replace(path, with: bytes, mode: mode)
            chmod(path, mode)
        }
        let one = try SmallFile.read(folder.path + "/builder.pub")
        let two = try SmallFile.read(folder.path + "/second.pub")
        let secret = try SmallFile.read(folder.path + "/second.key")
        try write(one + two)
        #expect(try StickFiles.keys(path) == [key.publicKey, stranger.publicKey])
        for (bytes, mode, words) in [
            (one, UInt32(0o664), "can be written by others"),
            (Array("nothing\n".utf8), 0o644, "holds no public key"),
            (one + secret, 0o644, "is no public key"),
            (Array(repeatElement(one, count: 9).joined()), 0o644, "holds 9 keys, at most 8"),
        ] {
            try write(bytes, mode: mode)
            let error = #expect(throws: StickRefusal.self) { try StickFiles.keys(path) }
            #expect("\(try #require(error))".contains(words), "\(words)")
        }
        #expect(throws: StickRefusal.self) { try StickFiles.keys(folder.path + "/missing") }
    }

    @Test("what was applied last: nothing yet, a record, or damage that shuts out all")
    func records() throws {
        let path = folder.path + "/last"
        #expect(try StickFiles.record(path) == nil)
        try SmallFile.replace(path, with: Array("1 7 abc SHA256:1\n".utf8))
        #expect(try StickFiles.record(path)?.sequence == 7)
        for damaged in [
            "", "1 7 abc\n", "1 7 abc k", "1 07 abc k\n", "1 +7 abc k\n", "1  7 abc k\n",
            " 1 7 abc k\n",
            "2 7 abc k\n", "1 7 abc k\n\n", "1 7 abc k x\n", "1 18446744073709551616 abc k\n",
        ] {
            try SmallFile.replace(path, with: Array(damaged.utf8))
            #expect(throws: StickRefusal.self, "\(damaged)") { try StickFiles.record(path) }
        }
    }

    @Test("what the reader has left: no link is followed, and what is not whole is refused")
    func leavings() throws {
        let path = folder.path + "/sda1"
        let whole = bundle([("a.toml", try signed().bytes)])
        try SmallFile.replace(path, with: whole.encoded())
        #expect(try StickFiles.bundle(path) == whole)
        #expect(access(path, F_OK) != 0)
        try SmallFile.replace(path, with: whole.encoded().dropLast(4))
        #expect(throws: StickRefusal.cutOff) { try StickFiles.bundle(path) }
        symlink(folder.path + "/builder.key", path)
        #expect(throws: StickRefusal.self) { try StickFiles.bundle(path) }
        mkfifo(path, 0o600)
        #expect(throws: StickRefusal.self) { try StickFiles.bundle(path) }
    }

    @Test(
        "behaviour 5.7: another file system, or none of our files, is nothing for us; all else is")
    func nothingForUs() {
        func refusal(_ bundle: StickBundle) -> StickRefusal? {
            do throws(StickRefusal) {
                _ = try judge().judge(StickBundle(bundle.encoded()) ?? StickBundle())
                return nil
            } catch {
                return error
            }
        }
        let foreign = refusal(StickBundle(trouble: "it is formatted as NTFS", isForeign: true))
        #expect(foreign == .otherFormat("it is formatted as NTFS"))
        #expect(foreign?.isNothingForUs ?? false)
        #expect(refusal(StickBundle())?.isNothingForUs ?? false)
        let damaged = refusal(StickBundle(trouble: "its FAT file system is damaged"))
        #expect(damaged == .unreadable("its FAT file system is damaged"))
        #expect(!(damaged?.isNothingForUs ?? true))
        #expect(!(refusal(bundle([("drawbridge-a.toml", Self.config)]))?.isNothingForUs ?? true))
    }

    @Test("behaviour 5.7: the disk that the router starts from is told from a stick")
    func disks() throws {
        let sys = folder.path + "/sys"
        let mounts = folder.path + "/mountinfo"
        for (disk, removable) in [("sda", "1"), ("sdb", "0")] {
            let path = "\(sys)/devices/usb1/block/\(disk)"
            for part in ["", "/\(disk)1", "/\(disk)2"] {
                try Directory.make(path + part + "/holders")
            }
            try Directory.make(sys + "/class/block")
            try SmallFile.replace(path + "/removable", with: Array("\(removable)\n".utf8))
            for number in [1, 2] {
                let part = "\(path)/\(disk)\(number)"
                try SmallFile.replace(part + "/partition", with: Array("\(number)\n".utf8))
                try SmallFile.replace(part + "/dev", with: Array("8:\(number)\n".utf8))
                symlink(part, "\(sys)/class/block/\(disk)\(number)")
            }
            symlink(path, "\(sys)/class/block/\(disk)")
        }
        func disk(_ name: String, _ table: String) throws -> StickDisk? {
            try SmallFile.replace(mounts, with: Array(table.utf8))
            return StickDisk(name, sys: sys, mounts: mounts)
        }
        let other = "22 1 9:9 / / rw - ext4 /dev/root rw\n"
        for name in ["sda", "sda1", "sda2"] {
            let stick = try disk(name, other)
            #expect(
                stick == StickDisk(isInUse: false, isRemovable: true) && stick?.whyNoStick == nil)
        }
        // Another part of the disk is what the router runs from; Btrfs has numbers of its own.
        for mount in [
            "22 1 8:2 / / rw - ext4 /dev/root rw\n", "22 1 0:30 / / rw - btrfs /dev/sda2 rw\n",
        ] {
            #expect(try disk("sda1", other + mount)?.whyNoStick == "the disk is in use here")
        }
        #expect(try disk("sdb1", other)?.whyNoStick == "the disk is built in, not a stick")
        try Directory.make("\(sys)/devices/usb1/block/sda/sda2/holders/dm-0")
        #expect(try disk("sda1", other)?.isInUse == true)
        for name in ["sdc1", "", "..", "../sda", "."] { #expect(try disk(name, other) == nil) }
    }

    @Test(
        "the serial: device tree, DMI, else the machine id hashed; what makers leave blank is none")
    func serials() {
        func serial(_ tree: String?, _ firmware: [String] = [], _ id: String? = "4c0f0cde")
            -> String?
        {
            DeviceSerial(
                .init(
                    deviceTree: tree.map { Array($0.utf8) },
                    firmware: firmware.map { Array($0.utf8) },
                    machineID: id.map { Array($0.utf8) }))?.text
        }
        #expect(serial("10000000a3b1c2d4\0") == "10000000a3b1c2d4")
        #expect(serial(nil, ["  PF1-2.3X\n"]) == "PF1-2.3X")
        #expect(serial(nil, ["To be filled by O.E.M.\n", "BRD-77\n"]) == "BRD-77")
        let machine = serial(nil)
        #expect(machine?.hasPrefix("m-") ?? false)
        for blank in [
            "", "0000000000", "0000-0000-00", "Default string", "None", "  ", "1", "Not Available",
            "N / A",
            "To be filled by O.E.M", "TO BE FILLED BY O.E.M. ", "SerNum", "SerNum0", "...........",
            "System Serial Number", "Base Board Serial Number", "Chassis Serial Number",
            "System-Serial-Number", "Not Specified", "XXXXXXXX", "0123456789", "Not Applicable",
        ] {
            #expect(serial(blank + "\0", [blank + "\n"]) == machine, "\(blank)")
        }
        #expect(serial(nil, ["A/1 (B)"])?.hasPrefix("h-") ?? false)
        #expect(serial(nil, ["A/1 (B)"]) != serial(nil, ["A-1 (B)"]))
        #expect(serial(nil, [], nil) == nil)
    }
}

/// Keys as `docs/stick.md` has them made.
enum StickKeys {
    /// `NAME.key` and `NAME.pub`.
    static func make(in folder: String, _ name: String) throws -> Ed25519PrivateKey {
        let key = "\(folder)/\(name).key"
        for words in [
            "openssl genpkey -algorithm ed25519 -out \(key)",
            "openssl pkey -in \(key) -pubout -out \(folder)/\(name).pub",
        ] {
            guard system(words + " 2>/dev/null") == 0 else {
                throw SystemError("run \(words)", code: EINVAL)
            }
        }
        return try Ed25519PrivateKey(key)
    }
}
