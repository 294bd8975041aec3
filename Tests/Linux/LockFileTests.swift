import Glibc
import Linux
import TestSupport
import Testing

@Suite("LockFile")
struct LockFileTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/lock" }

    init() throws { folder = try TemporaryFolder() }

    @Test("the second is refused with the number of the first, and let in once that has ended")
    func oneInstance() throws {
        do {
            let first = try LockFile(path)
            let refusal = #expect(throws: LockFile.Failure.self) { _ = try LockFile(path) }
            #expect(refusal == .held(path: path, processID: getpid()))
            #expect(
                refusal?.description
                    == "drawbridge is already running as process \(getpid()), which holds \(path)")
            _ = consume first
        }
        _ = try LockFile(path)
    }

    @Test("what an earlier, longer-numbered instance wrote is replaced")
    func staleNumber() throws {
        try SmallFile.replace(path, with: Array("99999999999999\n".utf8))
        _ = try LockFile(path)
        #expect(try SmallFile.readText(path) == "\(getpid())\n")
    }

    @Test("a holder that has not written its number yet")
    func unknownHolder() throws {
        let file = try FileDescriptor(open: path, flags: O_RDWR | O_CREAT)
        #expect(flock(file.raw, LOCK_EX | LOCK_NB) == 0)
        let refusal = #expect(throws: LockFile.Failure.self) { _ = try LockFile(path) }
        #expect(refusal == .held(path: path, processID: nil))
    }

    @Test("a folder that is not there is an error with its path")
    func noFolder() {
        let refusal = #expect(throws: LockFile.Failure.self) {
            _ = try LockFile("/nonexistent/drawbridge.lock")
        }
        #expect(
            refusal?.description
                == "cannot open /nonexistent/drawbridge.lock: No such file or directory")
    }
}
