import Glibc

/// What the kernel tells of the machine it runs on. What it does not tell is nil.
package enum MachineVitals {
    /// Of the processor in degrees Celsius: the hottest thermal zone whose type names one, else the hottest of all
    /// (`Documentation/driver-api/thermal/sysfs-api.rst`).
    package static func temperature(in folder: String = "/sys/class/thermal") -> Double? {
        var processor: Double?
        var any: Double?
        for number in 0..<zonesMax {
            let zone = "\(folder)/thermal_zone\(number)"
            guard let type = try? SmallFile.readText(zone + "/type") else { break }
            guard let text = try? SmallFile.readText(zone + "/temp"),
                let milli = Int(text.filter { !$0.isWhitespace }),
                // A sensor that is off says nonsense.
                (-60_000...200_000).contains(milli)
            else { continue }
            let degrees = Double(milli) / 1000
            any = max(any ?? degrees, degrees)
            let name = type.lowercased()
            if ["cpu", "pkg", "soc", "core"].contains(where: { name.contains($0) }) {
                processor = max(processor ?? degrees, degrees)
            }
        }
        return processor ?? any
    }

    /// More than any board has.
    private static let zonesMax = 64

    /// Mean of the last minute of those that run or wait to (`/proc/loadavg`, proc(5)).
    package static func load(file: String = "/proc/loadavg") -> Double? {
        (try? SmallFile.readText(file))?.split(separator: " ").first.flatMap { Double($0) }
    }

    /// Bytes that programs can still have without swapping (`MemAvailable`, proc(5)).
    package static func memoryAvailable(file: String = "/proc/meminfo") -> Int64? {
        kibibytes("MemAvailable:", in: file)
    }

    /// Bytes that this process has (`VmRSS`, proc(5)).
    package static func memoryOwn(file: String = "/proc/self/status") -> Int64? {
        kibibytes("VmRSS:", in: file)
    }

    /// A line `NAME 123 kB`, in bytes.
    private static func kibibytes(_ name: String, in file: String) -> Int64? {
        let lines = (try? SmallFile.readText(file))?.split(separator: "\n") ?? []
        let fields = lines.first { $0.hasPrefix(name) }?.split(whereSeparator: \.isWhitespace)
        guard let fields, fields.count >= 2, let number = Int64(fields[1]), number < 1 << 50
        else { return nil }
        return number * 1024
    }
}
