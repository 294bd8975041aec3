import Glibc
import Linux
import Synchronization
import Testing

@Suite("Threads of their own", .timeLimit(.minutes(1)))
struct ThreadExecutorTests {
    private actor Worker {
        private let thread: ThreadExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor {
            thread.asUnownedSerialExecutor()
        }
        private var count = 0

        init(name: String) { thread = ThreadExecutor(name: name) }

        func threadID() -> String { currentThread() }

        func threadName() -> String {
            (try? SmallFile.readText("/proc/thread-self/comm")) ?? ""
        }

        /// Blocks its thread.
        func nap() -> Int {
            usleep(1000)
            count += 1
            return count
        }

        func acrossSuspension() async -> [String] {
            let before = currentThread()
            await Task.yield()
            return [before, currentThread()]
        }
    }

    @Test("an actor's jobs run on its thread only, one after the other")
    func oneThread() async {
        let worker = Worker(name: "worker")
        let id = await worker.threadID()
        #expect(id.hasPrefix("\(getpid())/task/"))
        #expect(await worker.threadName() == "worker\n")
        let counts = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await worker.nap() } }
            return await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(counts == Set(1...50))
        #expect(await worker.threadID() == id)
        #expect(await worker.acrossSuspension() == [id, id])
    }

    @Test("two workers block independently")
    func twoThreads() async {
        let one = Worker(name: "one")
        let two = Worker(name: "two")
        #expect(await one.threadID() != two.threadID())
    }

    @Test("a thread ends with its executor")
    func ends() async throws {
        let id = await Worker(name: "short-lived").threadID()
        let path = "/proc/\(id)"
        for _ in 0..<500 where access(path, F_OK) == 0 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(access(path, F_OK) != 0, "thread \(id) lives on")
    }

    @Test("a blocking thread has its name, cut to what the kernel takes")
    func blockingThread() async {
        let name = await withCheckedContinuation { continuation in
            BlockingThread.start(name: "a-name-that-is-too-long") {
                continuation.resume(
                    returning: (try? SmallFile.readText("/proc/thread-self/comm")) ?? "")
            }
        }
        #expect(name == "a-name-that-is-\n")
    }
}

/// The calling thread as `/proc/thread-self` names it: `PID/task/TID`.
private func currentThread() -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let count = readlink("/proc/thread-self", &buffer, buffer.count)
    return String(
        decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
