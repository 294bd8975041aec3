import Glibc
import Linux
import TestSupport
import Testing

@testable import Configuration

/// FAT file systems as mkfs.vfat and mtools make them, and as a hostile hand does (behaviour 5.7).
@Suite("config: reading USB sticks", .timeLimit(.minutes(2)))
struct StickReadingTests {
    /// Bytes in memory, a few of them changed.
    private struct Memory: FATDevice {
        var bytes: [UInt8]
        var changes: [Int: UInt8] = [:]

        func read(at offset: UInt64, count: Int) throws(FATTrouble) -> [UInt8] {
            guard let start = Int(exactly: offset), start <= bytes.count,
                count <= bytes.count - start
            else { throw .device("it ends") }
            var part = Array(bytes[start..<start + count])
            for (place, byte) in changes where place >= start && place < start + count {
                part[place - start] = byte
            }
            return part
        }
    }

    /// A stick with long names, folders, a deleted file, one that is too large, and one that lies in pieces.
    private static func stick(_ width: Int, kilobytes: Int) async throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let script = """
            set -e
            cd \(folder.path)
            mkfs.vfat -C -F \(width) -n STICK img \(kilobytes) >/dev/null
            export MTOOLS_SKIP_CHECK=1
            mmd -i img ::/drawbridge-folder.toml
            head -c 9000 /dev/zero | tr '\\0' x >nine
            for i in 1 2 3 4; do mcopy -i img nine "::/a long name, number $i, of a file.txt"; done
            mdel -i img "::/a long name, number 2, of a file.txt"
            seq 1 3000 >drawbridge-A1.toml
            echo '# small' >Drawbridge-b2.TOML
            : >drawbridge-empty.toml
            head -c 262145 /dev/zero >drawbridge-large.toml
            mcopy -i img drawbridge-A1.toml Drawbridge-b2.TOML drawbridge-empty.toml drawbridge-large.toml ::
            """
        let result = try await Command.run(
            ["/bin/sh", "-c", script],
            environment: ["PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"])
        try #require(result.exit == .status(0), "\(result.error)")
        return try SmallFile.read(folder.path + "/img", bytesMax: 80 << 20)
    }

    @Test(
        "FAT12, FAT16 and FAT32 are read",
        arguments: [(12, 1440), (16, 20_000), (32, 70_000)])
    func formats(width: Int, kilobytes: Int) async throws {
        let bundle = StickReader.bundle(
            of: Memory(bytes: try await Self.stick(width, kilobytes: kilobytes)))
        let lines = Array((1...3000).map { "\($0)\n" }.joined().utf8)
        #expect(bundle.trouble == nil)
        #expect(
            bundle.files == [
                .init(name: "drawbridge-A1.toml", bytes: lines),
                .init(name: "Drawbridge-b2.TOML", bytes: Array("# small\n".utf8)),
                .init(name: "drawbridge-empty.toml", bytes: []),
                .init(name: "drawbridge-large.toml", tooLarge: 262_145),
            ])
    }

    @Test("a FAT32 with fewer clusters than it should have is one, as for Linux")
    func smallFAT32() async throws {
        let folder = try TemporaryFolder()
        let image = folder.path + "/img"
        let made = try await Command.run(["/usr/sbin/mkfs.vfat", "-C", "-F", "32", image, "4000"])
        try #require(made.exit == .status(0), "\(made.error)")
        let bytes = try SmallFile.read(image, bytesMax: 8 << 20)
        #expect(try FATGeometry(bootSector: Array(bytes[..<512])).width == .thirtyTwo)
        #expect(StickReader.bundle(of: Memory(bytes: bytes)) == StickBundle())
    }

    @Test("what is not FAT is told by its name")
    func otherFormats() {
        func bundle(_ name: String) -> StickBundle {
            var sector = [UInt8](repeating: 0, count: 4096)
            sector.replaceSubrange(3..<11, with: Array(name.utf8))
            return StickReader.bundle(of: Memory(bytes: sector))
        }
        func trouble(_ name: String) -> String? {
            #expect(bundle(name).isForeign)
            return bundle(name).trouble
        }
        #expect(trouble("EXFAT   ") == "it is formatted as exFAT: format it as FAT32")
        #expect(trouble("NTFS    ") == "it is formatted as NTFS: format it as FAT32")
        #expect(trouble("        ") == "it has no FAT file system: format it as FAT32")
        #expect(StickReader.bundle(of: Memory(bytes: [])).trouble == "it ends")
    }

    @Test(
        "a hostile stick costs a message: chains in circles, lengths that lie, folders without end",
        arguments: [12, 16, 32])
    func hostile(width: Int) async throws {
        let size = [12: 1440, 16: 20_000, 32: 70_000][width] ?? 0
        var stick = Memory(bytes: try await Self.stick(width, kilobytes: size))
        let geometry = try FATGeometry(bootSector: Array(stick.bytes[..<512]))
        var random = SeededGenerator(seed: UInt64(width))
        let table = Int(geometry.tableOffset)
        let folder =
            switch geometry.root {
            case .place(let offset, _): Int(offset)
            case .chain: Int(geometry.dataOffset)
            }
        let places = [0..<64, table..<table + 256, folder..<folder + 1024]
        var refused = 0
        for round in 0..<2000 {
            if round.isMultiple(of: 32) { await Task.yield() }
            stick.changes = [:]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let range = places.randomElement(using: &random) ?? 0..<1
                let place = Int.random(in: range, using: &random)
                let small = UInt8.random(in: 0...16, using: &random)
                stick.changes[place] =
                    Bool.random(using: &random) ? small : UInt8.random(in: 0...255, using: &random)
            }
            let bundle = StickReader.bundle(of: stick)
            if bundle.trouble != nil { refused += 1 }
            #expect(bundle.files.count <= StickBundle.Limits.filesMax)
            #expect(StickBundle(bundle.encoded()) != nil, "round \(round)")
        }
        #expect(refused > 50)
    }

    @Test("more configs than anybody has are refused as a whole")
    func tooMany() {
        var bundle = StickBundle()
        for number in 0...StickBundle.Limits.filesMax {
            bundle.add(.init(name: "drawbridge-\(number).toml", bytes: [1]))
        }
        #expect(bundle.files.count == StickBundle.Limits.filesMax)
        #expect(bundle.trouble?.contains("more than 256 configs") ?? false)
        #expect(StickBundle(bundle.encoded()) == bundle)
    }
}
