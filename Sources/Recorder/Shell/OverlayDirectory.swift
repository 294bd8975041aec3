package import Linux
import Synchronization

/// A store's directory as it is on the disk, with every change kept in memory: for looking at a store, living or
/// dead, with the code that runs it and without touching it.
package final class OverlayDirectory: RingDirectory {
    private struct File {
        /// Nil for a file that is not on the disk.
        var base: (any RingFile)?
        var bytes: Int64
        /// Pages that were written here; those of zeros in a new file are not kept.
        var pages: [Int64: [UInt8]] = [:]
    }

    package let path: String
    private let disk: any RingDirectory
    private let files: Mutex<[String: File]>

    package init(_ disk: any RingDirectory) throws(SystemError) {
        self.disk = disk
        path = disk.path
        var files: [String: File] = [:]
        for (name, bytes) in try disk.list()
        where FileName.slot(name) != nil || FileName.journals.contains(name) {
            files[name] = File(base: try disk.open(name, isReadOnly: true), bytes: bytes)
        }
        self.files = Mutex(files)
    }

    /// What the files take together.
    package var bytes: Int64 { files.withLock { $0.values.reduce(0) { $0 + $1.bytes } } }

    package func list() throws(SystemError) -> [(name: String, bytes: Int64)] {
        var list: [(name: String, bytes: Int64)] = []
        files.withLock { files in
            for (name, file) in files { list.append((name, file.bytes)) }
        }
        return list
    }

    package func room() throws(SystemError) -> Int64 { 1 << 50 }

    package func open(_ name: String, isReadOnly: Bool) throws(SystemError) -> any RingFile {
        guard files.withLock({ $0[name] != nil }) else {
            throw SystemError("open \(path)/\(name)", code: 2)
        }
        return OverlayFile(directory: self, name: name)
    }

    package func create(_ name: String) throws(SystemError) -> any RingFile {
        files.withLock { $0[name] = File(base: nil, bytes: 0) }
        return OverlayFile(directory: self, name: name)
    }

    package func remove(_ name: String) throws(SystemError) { files.withLock { $0[name] = nil } }

    package func sync() throws(SystemError) {}

    fileprivate func resize(_ name: String, to bytes: Int64) {
        files.withLock { files in
            guard var file = files[name] else { return }
            file.pages = file.pages.filter { $0.key < bytes }
            // What is cut off does not come back from the disk.
            if bytes < file.bytes { file.base = nil }
            file.bytes = bytes
            files[name] = file
        }
    }

    fileprivate func read(_ name: String, at offset: Int64, count: Int) throws(SystemError)
        -> [UInt8]
    {
        guard let file = files.withLock({ $0[name] }), offset < file.bytes else { return [] }
        let count = Int(min(Int64(count), file.bytes - offset))
        var bytes = try file.base?.read(at: offset, count: count) ?? []
        bytes += [UInt8](repeating: 0, count: count - bytes.count)
        guard !file.pages.isEmpty else { return bytes }
        let page = Int64(Limits.pageBytes)
        var start = offset / page * page
        while start < offset + Int64(count) {
            if let written = file.pages[start] {
                for place in max(start, offset)..<min(start + page, offset + Int64(count)) {
                    bytes[Int(place - offset)] = written[Int(place - start)]
                }
            }
            start += page
        }
        return bytes
    }

    fileprivate func write(_ bytes: [UInt8], _ name: String, at offset: Int64)
        throws(SystemError)
    {
        let page = Int64(Limits.pageBytes)
        var start = offset / page * page
        while start < offset + Int64(bytes.count) {
            var content = try read(name, at: start, count: Limits.pageBytes)
            content += [UInt8](repeating: 0, count: Limits.pageBytes - content.count)
            for place in max(start, offset)..<min(start + page, offset + Int64(bytes.count)) {
                content[Int(place - start)] = bytes[Int(place - offset)]
            }
            files.withLock { [content, start] files in
                guard var file = files.removeValue(forKey: name) else { return }
                let isNeeded = file.base != nil || content.contains { $0 != 0 }
                file.pages[start] = isNeeded ? content : nil
                file.bytes = max(file.bytes, offset + Int64(bytes.count))
                files[name] = file
            }
            start += page
        }
    }
}

private struct OverlayFile: RingFile {
    let directory: OverlayDirectory
    let name: String

    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        try directory.read(name, at: offset, count: count)
    }
    func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
        try directory.write(bytes, name, at: offset)
    }
    func allocate(_ bytes: Int64) throws(SystemError) { directory.resize(name, to: bytes) }
    func truncate(to bytes: Int64) throws(SystemError) { directory.resize(name, to: bytes) }
    func sync() throws(SystemError) {}
}
