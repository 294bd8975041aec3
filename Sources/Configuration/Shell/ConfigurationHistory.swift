package import Base
import Glibc
package import Linux
package import Settings

/// The last good config files, a folder each: `000007/drawbridge.toml`, `000007/conf.d/…`.
package struct ConfigurationHistory: Sendable {
    /// So many are kept; an older one makes room for a new one.
    package static let keptMax = 20

    package struct Entry: Equatable, Sendable {
        package var number: Int
        /// When it came into force.
        package var at: WallTime
    }

    private let path: String

    package init(stateDirectory: String) {
        path = stateDirectory + "/config"
    }

    /// The folder of a config file, where `conf.d` is too.
    package static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// Oldest first.
    package func entries() -> [Entry] {
        Self.names(in: path).compactMap(Int.init).sorted().map { number in
            var about = stat()
            stat(folder(number), &about)
            return Entry(
                number: number, at: WallTime(milliseconds: Int64(about.st_mtim.tv_sec) * 1000))
        }
    }

    /// The files of an entry, under the names that they have in the config folder.
    package func files(_ number: Int) throws(SystemError) -> [SettingsSource] {
        var files: [SettingsSource] = []
        for name in Self.tomlNames(in: folder(number)) {
            let bytes = try SmallFile.read(folder(number) + "/" + name)
            files.append(SettingsSource(name: name, bytes: bytes))
        }
        guard !files.isEmpty else {
            throw SystemError("find config \(number) in \(path)", code: ENOENT)
        }
        return files
    }

    /// Keeps what runs now, unless it is the newest entry already; returns its number.
    package func keep(_ sources: [SettingsSource], of file: String) throws(SystemError) -> Int {
        let prefix = Self.folder(of: file) + "/"
        let files = sources.map { source in
            let name =
                source.name.hasPrefix(prefix)
                ? String(source.name.dropFirst(prefix.count)) : source.name
            return SettingsSource(name: name, bytes: source.bytes)
        }
        let known = entries()
        if let last = known.last, Set((try? self.files(last.number)) ?? []) == Set(files) {
            return last.number
        }
        let number = (known.last?.number ?? 0) + 1
        let fresh = path + "/new"
        Self.remove(fresh)
        try Directory.make(fresh + "/conf.d")
        for file in files { try SmallFile.replace(fresh + "/" + file.name, with: file.bytes) }
        guard rename(fresh, folder(number)) == 0 else {
            throw SystemError("keep config \(number) in \(path)", code: errno)
        }
        for entry in known.dropLast(Self.keptMax - 1) { Self.remove(folder(entry.number)) }
        return number
    }

    /// Puts an entry where the config file is; parts in `conf.d` that it does not know are set aside.
    ///
    /// A file keeps its owner and mode; a new one has those of its folder.
    package func restore(_ number: Int, to file: String) throws(SystemError) {
        let files = try files(number)
        let folder = Self.folder(of: file)
        for name in Self.tomlNames(in: folder) where name.hasPrefix("conf.d/") {
            guard !files.contains(where: { $0.name == name }) else { continue }
            guard rename(folder + "/" + name, folder + "/" + name + ".before-restore") == 0 else {
                throw SystemError("set \(folder)/\(name) aside", code: errno)
            }
        }
        for source in files {
            let target = folder + "/" + source.name
            var about = stat()
            var mode: UInt32 = 0o640
            if stat(target, &about) == 0 {
                mode = about.st_mode & 0o777
            } else {
                try Directory.make(Self.folder(of: target))
                stat(Self.folder(of: target), &about)
            }
            try SmallFile.replace(target, with: source.bytes, mode: mode)
            // Only root may, and only root needs to.
            _ = chown(target, about.st_uid, about.st_gid)
        }
    }

    // MARK: names

    /// Where an entry lies.
    package func folder(_ number: Int) -> String {
        let digits = String(number)
        return path + "/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// `drawbridge.toml` and `conf.d/….toml` of a folder.
    package static func tomlNames(in folder: String) -> [String] {
        let main = names(in: folder).filter { $0.hasSuffix(".toml") }
        let parts = names(in: folder + "/conf.d").filter {
            $0.hasSuffix(".toml") && !$0.hasPrefix(".")
        }
        return main.sorted() + parts.sorted().map { "conf.d/" + $0 }
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.filter { $0 != "." && $0 != ".." }
    }

    /// Removes an entry: its files, `conf.d`, itself.
    private static func remove(_ folder: String) {
        for name in names(in: folder + "/conf.d") { unlink(folder + "/conf.d/" + name) }
        rmdir(folder + "/conf.d")
        for name in names(in: folder) { unlink(folder + "/" + name) }
        rmdir(folder)
    }
}
