import Glibc
import Linux

/// What the kernel says of the disk that a partition is on: a stick, or the disk that the router starts from.
package struct StickDisk: Equatable, Sendable {
    /// The disk, or a part of it, is mounted, or something else lies on it (LVM, dm-crypt, RAID).
    package var isInUse: Bool
    package var isRemovable: Bool

    /// nil: it is a stick.
    package var whyNoStick: String? {
        if isInUse { return "the disk is in use here" }
        return isRemovable ? nil : "the disk is built in, not a stick"
    }

    package init(isInUse: Bool, isRemovable: Bool) {
        self.isInUse = isInUse
        self.isRemovable = isRemovable
    }

    private enum Limits {
        static let nameCharactersMax = 64
        static let mountsBytesMax = 1 << 20
    }

    /// nil: the kernel knows no such device, such as one that was pulled out. `name`: as in `/dev`, of a disk or a
    /// partition.
    package init?(
        _ name: String, sys: String = "/sys", mounts: String = "/proc/self/mountinfo"
    ) {
        guard (1...Limits.nameCharactersMax).contains(name.utf8.count), !name.contains("/"),
            !name.hasPrefix("."),
            let found = realpath("\(sys)/class/block/\(name)", nil)
        else { return nil }
        defer { free(found) }
        var disk = String(cString: found)
        if access(disk + "/partition", F_OK) == 0, let slash = disk.lastIndex(of: "/") {
            disk = String(disk[..<slash])
        }
        isRemovable = Self.word(disk + "/removable") == "1"
        let parts = Folder.names(in: disk).map { "\(disk)/\($0)" }.filter {
            access($0 + "/partition", F_OK) == 0
        }
        guard let table = try? SmallFile.readText(mounts, bytesMax: Limits.mountsBytesMax) else {
            return nil
        }
        // proc_pid_mountinfo(5): the third word is the device's number; Btrfs has one of its own there, but names
        // the device behind the dash.
        let lines = table.split(separator: "\n").map { $0.split(separator: " ") }
        let numbers = Set(lines.compactMap { $0.count > 2 ? String($0[2]) : nil })
        let sources = Set(lines.flatMap { $0.suffix(2) }.map(String.init))
        isInUse = ([disk] + parts).contains { part in
            let name = part.split(separator: "/").last ?? ""
            return !Folder.names(in: part + "/holders").isEmpty
                || Self.word(part + "/dev").map(numbers.contains) ?? false
                || sources.contains("/dev/\(name)")
        }
    }

    private static func word(_ path: String) -> String? {
        guard let text = try? SmallFile.readText(path, bytesMax: 4096) else { return nil }
        return String(text.prefix { !$0.isWhitespace })
    }
}
