import Glibc
import Linux
import TestSupport
import Testing

@Suite struct MachineVitalsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = folder.path + "/" + name
        try SmallFile.replace(path, with: Array(text.utf8))
        return path
    }

    private func zone(_ number: Int, _ type: String, _ temperature: String) throws {
        let zone = "thermal_zone\(number)"
        mkdir("\(folder.path)/\(zone)", 0o755)
        _ = try write("\(zone)/type", type + "\n")
        _ = try write("\(zone)/temp", temperature + "\n")
    }

    @Test("the processor's zone is chosen, and what a sensor cannot mean is passed over")
    func temperature() throws {
        #expect(MachineVitals.temperature(in: folder.path) == nil)
        try zone(0, "acpitz", "71500")
        #expect(MachineVitals.temperature(in: folder.path) == 71.5)
        try zone(1, "cpu-thermal", "48250")
        try zone(2, "soc-thermal", "-274000")
        try zone(3, "x86_pkg_temp", "no number")
        try zone(4, "CPU1", "51000")
        #expect(MachineVitals.temperature(in: folder.path) == 51)
    }

    @Test("load and memory as proc(5) writes them; nothing where it writes otherwise")
    func proc() throws {
        #expect(MachineVitals.load(file: try write("load", "0.42 0.30 1.00 1/99 7\n")) == 0.42)
        #expect(MachineVitals.load(file: try write("none", "")) == nil)
        let memory = try write("meminfo", "MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
        #expect(MachineVitals.memoryAvailable(file: memory) == 2_097_152)
        #expect(MachineVitals.memoryOwn(file: memory) == nil)
        #expect(MachineVitals.memoryAvailable(file: folder.path + "/nothing") == nil)
        #expect(try #require(MachineVitals.memoryOwn()) > 1_000_000)
    }
}
