import Base
import Linux
import Recorder
import Synchronization

/// A disk in memory that loses, tears and refuses as real ones do, on demand.
final class FakeDisk: RingDirectory {
    struct File {
        /// What a power cut leaves for certain.
        var durable: [UInt8] = []
        /// What programs see.
        var current: [UInt8] = []
        /// Offsets and bytes written since the last sync.
        var dirty: [(offset: Int, bytes: [UInt8])] = []
    }

    struct State {
        var files: [Int: File] = [:]
        var names: [String: Int] = [:]
        /// The directory as it was after 0, 1, 2 … of its changes since its last sync.
        var history: [[String: Int]] = [[:]]
        var nextID = 0
        /// All files together; more is refused.
        var capacity = Int.max
        /// The most that all files ever had together.
        var mostBytes = 0
        var bytesRead = 0
        var writesToFail = 0
        var syncsToFail = 0
        var syncs = 0
        /// Changes that are still carried out before the power goes; nil while it stays.
        var changesLeft: Int?
        /// Files whose reads and writes fail.
        var broken: Set<String> = []

        var isOff: Bool { changesLeft == 0 }
        /// Whether a change is carried out.
        mutating func spend() -> Bool {
            guard let left = changesLeft else { return true }
            changesLeft = max(0, left - 1)
            return left > 0
        }
        func isBroken(_ id: Int) -> Bool { broken.contains { names[$0] == id } }

        var total: Int { names.values.reduce(0) { $0 + (files[$1]?.current.count ?? 0) } }
        mutating func measure() { mostBytes = max(mostBytes, total) }
    }

    let path = "/fake"
    let state: Mutex<State>

    init(_ state: sending State = State()) {
        self.state = Mutex(state)
    }

    /// The disk after the power was cut now: all that was synced, and some sectors of the rest.
    func powerCut(_ random: inout some RandomNumberGenerator) -> FakeDisk {
        var after = state.withLock { $0 }
        after.changesLeft = nil
        after.names = after.history.randomElement(using: &random) ?? after.names
        after.history = [after.names]
        after.files = after.files.filter { after.names.values.contains($0.key) }
        for (id, file) in after.files.sorted(by: { $0.key < $1.key }) {
            var content = file.durable
            let grown = max(content.count, file.current.count)
            let length = Int.random(in: content.count...grown, using: &random)
            content += [UInt8](repeating: 0, count: length - content.count)
            for (offset, bytes) in file.dirty {
                for start in stride(from: offset / 512 * 512, to: offset + bytes.count, by: 512)
                where Bool.random(using: &random) {
                    for place in max(start, offset)..<min(start + 512, offset + bytes.count)
                    where place < length {
                        content[place] = bytes[place - offset]
                    }
                }
            }
            after.files[id] = File(durable: content, current: content)
        }
        return FakeDisk(after)
    }

    /// The same disk as another process would find it.
    func copy() -> FakeDisk { FakeDisk(state.withLock { $0 }) }

    var segmentNames: [String] {
        state.withLock { $0.names.keys.filter { FileName.slot($0) != nil }.sorted() }
    }

    func content(_ name: String) -> [UInt8] {
        state.withLock { state in state.names[name].flatMap { state.files[$0]?.current } ?? [] }
    }

    func set(_ name: String, _ content: [UInt8]) {
        state.withLock { state in
            state.nextID += 1
            let id = state.names[name] ?? state.nextID
            state.names[name] = id
            state.history = [state.names]
            state.files[id] = File(durable: content, current: content)
        }
    }

    func list() throws(SystemError) -> [(name: String, bytes: Int64)] {
        state.withLock { state in
            state.names.map { ($0.key, Int64(state.files[$0.value]?.current.count ?? 0)) }
        }
    }

    func room() throws(SystemError) -> Int64 {
        state.withLock { Int64(max(0, $0.capacity - $0.total)) }
    }

    func open(_ name: String, isReadOnly: Bool) throws(SystemError) -> any RingFile {
        guard let id = state.withLock({ $0.names[name] }) else {
            throw SystemError("open \(name)", code: 2)
        }
        return FakeFile(disk: self, id: id)
    }

    func create(_ name: String) throws(SystemError) -> any RingFile {
        let id = state.withLock { state -> Int? in
            guard state.names[name] == nil, state.spend() else { return nil }
            state.nextID += 1
            state.names[name] = state.nextID
            state.history.append(state.names)
            state.files[state.nextID] = File()
            return state.nextID
        }
        guard let id else {
            let isOff = state.withLock { $0.isOff }
            throw SystemError("create \(name)", code: isOff ? 5 : 17)
        }
        return FakeFile(disk: self, id: id)
    }

    func remove(_ name: String) throws(SystemError) {
        state.withLock { state in
            guard state.spend() else { return }
            state.names[name] = nil
            state.history.append(state.names)
        }
    }

    func sync() throws(SystemError) {
        state.withLock { if $0.spend() { $0.history = [$0.names] } }
    }
}

private struct FakeFile: RingFile {
    let disk: FakeDisk
    let id: Int

    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        if disk.state.withLock({ $0.isBroken(id) }) { throw SystemError("read", code: 5) }
        return disk.state.withLock { state in
            let content = state.files[id]?.current ?? []
            let start = min(Int(offset), content.count)
            let end = min(start + count, content.count)
            state.bytesRead += end - start
            return Array(content[start..<end])
        }
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
        let code = disk.state.withLock { state -> Int32? in
            guard !state.isBroken(id), state.spend() else { return 5 }
            var bytes = bytes[...]
            var code: Int32?
            if state.writesToFail > 0 {
                state.writesToFail -= 1
                bytes = bytes.prefix(bytes.count / 2)
                code = 28
            }
            let old = state.files[id]?.current.count ?? 0
            let room = state.capacity - state.total + old - Int(offset)
            if bytes.count > room {
                bytes = bytes.prefix(max(0, room))
                code = 28
            }
            let start = Int(offset)
            let end = start + bytes.count
            if end > old {
                state.files[id]?.current += [UInt8](repeating: 0, count: end - old)
            }
            state.files[id]?.current.replaceSubrange(start..<end, with: bytes)
            state.files[id]?.dirty.append((start, Array(bytes)))
            state.measure()
            return code
        }
        if let code { throw SystemError("write", code: code) }
    }

    func allocate(_ bytes: Int64) throws(SystemError) {
        let isFull = disk.state.withLock { state -> Bool in
            guard state.spend() else { return true }
            let old = state.files[id]?.current.count ?? 0
            let more = max(0, Int(bytes) - old)
            guard state.total + more <= state.capacity else { return true }
            state.files[id]?.current += [UInt8](repeating: 0, count: more)
            state.measure()
            return false
        }
        if isFull { throw SystemError("allocate", code: 28) }
    }

    func truncate(to bytes: Int64) throws(SystemError) {
        disk.state.withLock { state in
            guard var file = state.files[id] else { return }
            let keep = Int(bytes)
            file.current.removeLast(max(0, file.current.count - keep))
            file.dirty = file.dirty.compactMap { offset, bytes in
                offset < keep ? (offset, Array(bytes.prefix(keep - offset))) : nil
            }
            file.durable.removeLast(max(0, file.durable.count - keep))
            state.files[id] = file
        }
    }

    func sync() throws(SystemError) {
        let fails = disk.state.withLock { state -> Bool in
            state.syncs += 1
            guard !state.isBroken(id), state.spend() else { return true }
            guard state.syncsToFail == 0 else {
                // As kernels do: the data is dropped, and the next sync would say that all is well.
                state.syncsToFail -= 1
                state.files[id]?.dirty = []
                return true
            }
            // Only what is still dirty is written: what a failed sync has dropped stays dropped.
            guard var file = state.files[id] else { return false }
            for (offset, bytes) in file.dirty {
                let missing = max(0, offset + bytes.count - file.durable.count)
                file.durable += [UInt8](repeating: 0, count: missing)
                file.durable.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            }
            file.dirty = []
            let grown = max(0, file.current.count - file.durable.count)
            file.durable += [UInt8](repeating: 0, count: grown)
            state.files[id] = file
            return false
        }
        if fails { throw SystemError("sync", code: 5) }
    }
}
