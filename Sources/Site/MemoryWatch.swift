package import Base

/// The most memory that a process had, as `/proc/PID/status` tells it (proc(5)).
package struct MemoryPeak: Equatable, Sendable {
    /// `VmHWM`: the most that was resident in all its life, its start included.
    package var everResident = ByteSize(bytes: 0)
    /// `VmRSS`, the most while it was watched.
    package var resident = ByteSize(bytes: 0)
    /// `RssAnon`, the most while it was watched: what only this process has.
    package var anonymous = ByteSize(bytes: 0)
    /// Of both, what is resident only because of the emulated GPIO chip: its preloaded library asks for Swift's shared
    /// one, which a released daemon has inside. Nothing of it is there on a router.
    package var emulation = ByteSize(bytes: 0)

    /// What a router would see of `everResident`.
    package var withoutEmulation: ByteSize {
        ByteSize(bytes: everResident.bytes - emulation.bytes)
    }

    package init() {}
}

/// Watches the memory of a process, ten times a second.
actor MemoryWatch {
    private let process: Int32
    private(set) var peak = MemoryPeak()

    static let interval = Duration.milliseconds(100)

    init(of process: Int32) {
        self.process = process
    }

    /// Goes on until cancelled, or until the process is gone.
    func run() async throws {
        while true {
            peak.everResident = try ProcessCost.memory("VmHWM:", of: process)
            peak.resident = max(peak.resident, try ProcessCost.memory("VmRSS:", of: process))
            peak.anonymous = max(peak.anonymous, try ProcessCost.memory("RssAnon:", of: process))
            try await Task.sleep(for: Self.interval)
        }
    }

    /// The same, and what the emulation has of it now.
    func result() throws -> MemoryPeak {
        peak.emulation = try ProcessCost.resident(
            of: process,
            inFiles: { path in
                path.hasSuffix("/libfakegpio.so") || path.contains("/libswift")
            })
        return peak
    }
}
