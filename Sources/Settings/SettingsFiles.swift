import Glibc

/// One config file in memory.
package struct SettingsSource: Hashable, Sendable {
    /// The name that messages show.
    package var name: String
    package var bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// Finds and reads the main file and what lies in `conf.d` beside it.
package enum SettingsFiles {
    /// Most files in `conf.d`.
    static let partsMax = 64

    /// The texts of the config, whatever they say; throws when one cannot be read.
    package static func sources(main: String) throws(SettingsErrors) -> [SettingsSource] {
        let (sources, problems) = read(main: main)
        guard problems.isEmpty else {
            throw SettingsErrors(problems, files: sources.map(\.name))
        }
        return sources
    }

    /// The texts of a config whose main file is `main`, but whose parts lie beside `other`.
    package static func sources(main: String, partsOf other: String) throws(SettingsErrors)
        -> [SettingsSource]
    {
        let (sources, problems) = read(main: main, partsBeside: other)
        guard problems.isEmpty else {
            throw SettingsErrors(problems, files: sources.map(\.name))
        }
        return sources
    }

    /// The texts of a config whose main file is in memory, and whose parts lie beside `other`.
    package static func sources(main: SettingsSource, partsOf other: String)
        throws(SettingsErrors) -> [SettingsSource]
    {
        var sources = [main]
        var problems: [SettingsProblem] = []
        addParts(beside: other, to: &sources, &problems)
        guard problems.isEmpty else {
            throw SettingsErrors(problems, files: sources.map(\.name))
        }
        return sources
    }

    /// The sources in the order in which they are merged; files that can't be read are problems.
    static func read(main: String, partsBeside other: String? = nil) -> (
        sources: [SettingsSource], problems: [SettingsProblem]
    ) {
        var sources: [SettingsSource] = []
        var problems: [SettingsProblem] = []
        add(main, to: &sources, &problems)
        addParts(beside: other ?? main, to: &sources, &problems)
        return (sources, problems)
    }

    private static func add(
        _ path: String, to sources: inout [SettingsSource], _ problems: inout [SettingsProblem]
    ) {
        do throws(Refusal) {
            sources.append(SettingsSource(name: path, bytes: try bytes(of: path)))
        } catch {
            problems.append(SettingsProblem(Position(file: path), error.message))
        }
    }

    private static func addParts(
        beside place: String, to sources: inout [SettingsSource],
        _ problems: inout [SettingsProblem]
    ) {
        let slash = place.lastIndex(of: "/")
        let directory = (slash.map { String(place[...$0]) } ?? "") + "conf.d"
        do throws(Refusal) {
            for name in try names(in: directory) {
                add("\(directory)/\(name)", to: &sources, &problems)
            }
        } catch {
            problems.append(SettingsProblem(Position(file: directory), error.message))
        }
    }

    /// The names of the parts, in byte order; none if there is no such directory.
    private static func names(in directory: String) throws(Refusal) -> [String] {
        guard let stream = opendir(directory) else {
            guard errno != ENOENT else { return [] }
            throw Refusal("cannot read the directory: \(reason(errno))")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".toml"), !name.hasPrefix(".") else { continue }
            guard names.count < partsMax else {
                throw Refusal("holds more than \(partsMax) files; put them together")
            }
            names.append(name)
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func bytes(of path: String) throws(Refusal) -> [UInt8] {
        // Not to wait for the writer of a pipe that lies where a file should.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw Refusal("cannot read the file: \(reason(errno))") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Refusal("cannot read the file: it is not a regular file")
        }
        // One byte more than allowed lets the parser see that it is too long.
        let room = TOMLParser.Limits.bytesMax + 1
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while content.count < room {
            let count = Glibc.read(file, &buffer, min(buffer.count, room - content.count))
            if count == 0 { break }
            if count < 0 {
                guard errno == EINTR else {
                    throw Refusal("cannot read the file: \(reason(errno))")
                }
                continue
            }
            content += buffer[..<count]
        }
        return content
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
