import CLinux

/// How this process holds its memory.
package enum ProcessMemory {
    /// Has the allocator give back what is freed, for a program that runs for months on a small router: call it
    /// once, at the start. The corresponding C function is `mallopt`.
    package static func beFrugal() { clinux_frugal_memory() }
}
