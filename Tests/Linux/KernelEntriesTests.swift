import Linux
import TestSupport
import Testing

@Suite(
    "entries of the kernel that stay open",
    .enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct KernelEntriesTests {
    private static let path = "/proc/sys/net/ipv4/conf/wire/rp_filter"

    @Test("an entry says what it says now, also when its interface is another one of the same name")
    func anew() throws {
        let lines = try NetworkNamespace.run {
            let entries = KernelEntries()
            var lines: [String] = []
            func look() {
                let line = try? entries.line(Self.path)
                lines.append(line.map { String(decoding: $0, as: UTF8.self) } ?? "none")
            }
            for number in ["1", "2"] {
                look()
                NetworkNamespace.posixIP(["link", "add", "wire", "type", "bridge"])
                try FileDescriptor(open: Self.path, flags: 1).writeAll(Array(number.utf8))
                look()
                try FileDescriptor(open: Self.path, flags: 1).writeAll(Array("0".utf8))
                look()
                NetworkNamespace.posixIP(["link", "del", "wire"])
            }
            look()
            return lines
        }
        #expect(lines == ["none", "1", "0", "none", "2", "0", "none"])
    }
}
