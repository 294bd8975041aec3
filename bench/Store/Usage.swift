import Glibc

/// What this process has used. The corresponding C function is `getrusage`.
enum Usage {
    /// Of the processor, in user and kernel mode.
    static func cpuSeconds() -> Double { userSeconds() + kernelSeconds() }

    static func userSeconds() -> Double { seconds(usage().ru_utime) }

    static func kernelSeconds() -> Double { seconds(usage().ru_stime) }

    /// Resident memory, at its peak.
    static func peakKilobytes() -> Int { usage().ru_maxrss }

    private static func usage() -> rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}
