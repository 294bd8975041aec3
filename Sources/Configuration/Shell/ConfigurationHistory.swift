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
        Folder.names(in: path).compactMap(Int.init).sorted().map { number in
            var about = stat()
            stat(folder(number), &about)
            return Entry(
                number: number, at: WallTime(milliseconds: Int64(about.st_mtim.tv_sec) * 1000))
        }
    }

    /// The files of an entry, under the names that they have in the config folder.
    package func files(_ number: Int) throws(SystemError) -> [SettingsSource] {
        let files = try files(in: folder(number))
        guard !files.isEmpty else {
            throw SystemError("find config \(number) in \(path)", code: ENOENT)
        }
        return files
    }

    private func files(in folder: String) throws(SystemError) -> [SettingsSource] {
        for folder in [folder, folder + "/conf.d"] {
            var about = stat()
            guard lstat(folder, &about) == 0 else { continue }
            guard about.st_mode & S_IFMT == S_IFDIR else {
                throw SystemError("read the folder \(folder)", code: ENOTDIR)
            }
        }
        var files: [SettingsSource] = []
        for name in Self.tomlNames(in: folder) {
            files.append(
                SettingsSource(name: name, bytes: try SmallFile.readOwn(folder + "/" + name)))
        }
        return files
    }

    /// Keeps what runs now, unless it is the newest entry already; returns its number.
    package func keep(_ sources: [SettingsSource], of file: String) throws(SystemError) -> Int {
        let files = named(sources, of: file)
        let known = entries()
        if let last = known.last, Set((try? self.files(last.number)) ?? []) == files {
            return last.number
        }
        let number = (known.last?.number ?? 0) + 1
        try write(files, to: folder(number))
        for entry in known.dropLast(Self.keptMax - 1) { Self.remove(folder(entry.number)) }
        return number
    }

    /// Sources under the names that they have in the config folder.
    package func named(_ sources: [SettingsSource], of file: String) -> Set<SettingsSource> {
        let prefix = Self.folder(of: file) + "/"
        return Set(
            sources.map { source in
                let name =
                    source.name.hasPrefix(prefix)
                    ? String(source.name.dropFirst(prefix.count)) : source.name
                return SettingsSource(name: name, bytes: source.bytes)
            })
    }

    /// Writes a folder as a whole, or not at all.
    private func write(_ files: Set<SettingsSource>, to folder: String) throws(SystemError) {
        let fresh = path + "/new"
        Self.remove(fresh)
        try Directory.make(fresh + "/conf.d")
        for file in files { try SmallFile.replace(fresh + "/" + file.name, with: file.bytes) }
        guard rename(fresh, folder) == 0 else {
            throw SystemError("keep a config as \(folder)", code: errno)
        }
        try Directory.sync(path)
    }

    // MARK: what was not confirmed

    private var unconfirmedFolder: String { path + "/unconfirmed" }

    /// Notes what goes on trial, or was taken back: no start may take it up by itself.
    package func keepUnconfirmed(_ sources: [SettingsSource], of file: String) throws(SystemError) {
        forgetUnconfirmed()
        try write(named(sources, of: file), to: unconfirmedFolder)
    }

    /// What is noted, under the names of the config folder; empty: nothing is.
    package func unconfirmed() -> Set<SettingsSource> {
        (try? Set(files(in: unconfirmedFolder))) ?? []
    }

    package func forgetUnconfirmed() { Self.remove(unconfirmedFolder) }

    /// What a start takes: the file, or the last confirmed config when the file is known not to be.
    ///
    /// `fallback`: the number of that config.
    package static func start(file: String) throws(SettingsErrors)
        -> (settings: Settings, sources: [SettingsSource], fallback: Int?)
    {
        let found = try Settings.loadWithSources(file: file)
        let history = ConfigurationHistory(stateDirectory: found.settings.device.stateDirectory)
        guard history.named(found.sources, of: file) == history.unconfirmed(),
            let last = history.entries().last, let kept = try? history.files(last.number)
        else { return (found.settings, found.sources, nil) }
        let sources = kept.map {
            SettingsSource(name: folder(of: file) + "/" + $0.name, bytes: $0.bytes)
        }
        guard let settings = try? Settings.parse(sources) else {
            return (found.settings, found.sources, nil)
        }
        return (settings, sources, last.number)
    }

    /// Puts an entry where the config file is; parts in `conf.d` that it does not know are set aside.
    ///
    /// A file keeps its owner and mode; a new one has those of its folder. The history is the daemon's, the config
    /// root's: nothing but a config that holds is taken over.
    package func restore(_ number: Int, to file: String) throws {
        let files = try files(number)
        _ = try Settings.parse(files)
        let folder = Self.folder(of: file)
        for name in Self.tomlNames(in: folder) where name.hasPrefix("conf.d/") {
            guard !files.contains(where: { $0.name == name }) else { continue }
            guard rename(folder + "/" + name, folder + "/" + name + ".before-restore") == 0 else {
                throw SystemError("set \(folder)/\(name) aside", code: errno)
            }
        }
        for source in files {
            try Self.install(source.bytes, as: folder + "/" + source.name)
        }
    }

    /// Puts a file in the place of another one: whoever reads it gets the one or the other, whole.
    ///
    /// It has the owner and mode of that one; a new one has those of its folder.
    package static func install(_ bytes: [UInt8], as target: String) throws(SystemError) {
        var about = stat()
        var mode: UInt32 = 0o640
        if stat(target, &about) == 0 {
            mode = about.st_mode & 0o777
        } else {
            let folder = folder(of: target)
            if stat(folder, &about) != 0 {
                try Directory.make(folder)
                // `conf.d` beside a config that others may read.
                stat(Self.folder(of: folder), &about)
                chown(folder, about.st_uid, about.st_gid)
                chmod(folder, about.st_mode & 0o777)
            }
        }
        try SmallFile.replace(
            target, with: bytes, mode: mode, owner: (about.st_uid, about.st_gid))
    }

    // MARK: names

    /// Where an entry lies.
    package func folder(_ number: Int) -> String {
        let digits = String(number)
        return path + "/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// `drawbridge.toml` and `conf.d/….toml` of a folder.
    package static func tomlNames(in folder: String) -> [String] {
        let main = Folder.names(in: folder).filter { $0.hasSuffix(".toml") }
        let parts = Folder.names(in: folder + "/conf.d").filter {
            $0.hasSuffix(".toml") && !$0.hasPrefix(".")
        }
        return main.sorted() + parts.sorted().map { "conf.d/" + $0 }
    }

    /// Removes an entry: its files, `conf.d`, itself.
    private static func remove(_ folder: String) {
        for name in Folder.names(in: folder + "/conf.d") { unlink(folder + "/conf.d/" + name) }
        rmdir(folder + "/conf.d")
        for name in Folder.names(in: folder) { unlink(folder + "/" + name) }
        rmdir(folder)
    }
}
