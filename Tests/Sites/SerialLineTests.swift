import Base
import Console
import Glibc
import Linux
import Testing

@testable import Site

@Suite(
    "A machine on a serial line", .enabled(if: Programs.obstacles().isEmpty), .serialized,
    .timeLimit(.minutes(1)))
struct SerialLineTests {
    /// Unit 7 on a pseudo-terminal: each holding register holds its address; other units are silent.
    private static let drive = """
        import os, pty, sys, tty
        def crc(data):
            sum = 0xFFFF
            for byte in data:
                sum ^= byte
                for _ in range(8):
                    sum = sum >> 1 ^ (0xA001 if sum & 1 else 0)
            return sum.to_bytes(2, "little")
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.symlink(os.ttyname(slave), sys.argv[1])
        waiting = b""
        while True:
            waiting += os.read(master, 256)
            while len(waiting) >= 8:
                asked, waiting = waiting[:8], waiting[8:]
                if asked[0] == 7 and asked[1] == 3 and crc(asked[:6]) == asked[6:]:
                    first, count = int.from_bytes(asked[2:4], "big"), asked[5]
                    values = b"".join((first + i).to_bytes(2, "big") for i in range(count))
                    said = bytes([7, 3, 2 * count]) + values
                    os.write(master, said + crc(said))
        """

    @Test("behaviour 8: a drive on a serial line reaches the cloud; one that is not there is told")
    func drive() async throws {
        try await Site.with { try await Self.drive(in: $0) }
    }

    private static func table(_ name: String, unit: Int) -> String {
        """
        [[machine]]
        name = "\(name)"
        unit = \(unit)
        timeout = "200ms"
        serial = { device = "/var/lib/drawbridge/line", parity = "none" }
        [[machine.tag]]
        name = "speed"
        register = "holding:1805"
        type = "uint16"

        """
    }

    private static func drive(in site: Site) async throws {
        let child = try ChildProcess(
            ["/usr/bin/python3", "-c", drive, site.directory.state + "/line"])
        defer { child.send(signal: SIGKILL) }
        let config =
            try Site.shippedConfiguration() + "\n" + table("drive-7", unit: 7)
            + table("drive-8", unit: 8)
        try await site.startDaemon(config: config)
        try await site.waitUntil(within: .seconds(20), "the drive's values in the cloud") {
            await site.cloud.tally["drive-7/speed"].arrivals.contains { $0.value == .integer(1805) }
        }
        // The silent drive is told as such only after its time-out: the first poll may still be under way.
        try await site.waitUntil(within: .seconds(20), "the silent drive in the status") {
            try await drives(in: site).last?.reason.hasSuffix("no answer in time") ?? false
        }
        let told = try await drives(in: site)
        #expect(told.map(\.address).first == "/var/lib/drawbridge/line unit 7")
        #expect(told.map(\.isConnected) == [true, false])
    }

    private static func drives(in site: Site) async throws -> [StatusDocument.Machine] {
        let document = try ConsoleJSON.decode(
            StatusDocument.self, from: Array(try await site.status().utf8))
        return document.machines.filter { $0.name.hasPrefix("drive") }
    }
}
