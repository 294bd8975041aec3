import Base
import Linux
import Logging
import Synchronization
import Testing

@testable import Cloud

@Suite("bulk: the server's answers")
struct BulkReplyTests {
    @Test(
        "behaviour 9.7: what counts as delivered",
        arguments: [200, 201, 204, 409])
    func delivered(status: Int) {
        #expect(BulkReply(status: status) == .delivered)
    }

    @Test(
        "what does not, in words",
        arguments: [
            (302, "elsewhere"), (400, "does not take our request (400)"), (401, "refuses this"),
            (403, "refuses this"), (404, "is bulk.url right?"), (413, "of this size"),
            (429, "is busy"), (500, "a fault"), (503, "is busy"), (507, "no room"), (0, "(0)"),
        ])
    func failed(status: Int, words: String) {
        guard case .failed(let why, after: nil) = BulkReply(status: status) else {
            Issue.record("\(status) is no failure")
            return
        }
        #expect(why.contains(words))
    }

    @Test("a pause that the server asks for is kept, up to an hour")
    func pause() {
        #expect(
            BulkReply(status: 503, retryAfter: .seconds(90))
                == .failed("is busy (503)", after: .seconds(90)))
        #expect(
            BulkReply(status: 503, retryAfter: .seconds(86400))
                == .failed("is busy (503)", after: .seconds(3600)))
    }
}

@Suite("bulk: one block after the other")
struct BulkServiceTests {
    /// Blocks as the ring gives them.
    private final class Blocks: BlockSource {
        let waiting: Mutex<[StoredBlock]>
        let troubles = Mutex(0)

        init(_ count: Int) {
            waiting = Mutex(
                (1...count).map { n in
                    let sequence = UInt64(n)
                    return StoredBlock(
                        name: "\(n).block", bytes: [UInt8](repeating: 7, count: 100), records: 3,
                        sequences: sequence...sequence)
                })
        }

        func nextBlock() async throws -> StoredBlock? { waiting.withLock { $0.first } }

        func blockDelivered(_ block: StoredBlock) async throws {
            let fails = troubles.withLock { left in
                left -= 1
                return left >= 0
            }
            if fails { throw NoDisk() }
            waiting.withLock { waiting in
                #expect(waiting.first == block)
                waiting.removeFirst()
            }
        }
    }

    private struct NoDisk: Error {}

    /// A server that answers by a list.
    private final class Server: BlockCarrier {
        let answers: Mutex<[BulkReply]>
        let got = Mutex<[String]>([])

        init(_ answers: [BulkReply]) { self.answers = Mutex(answers) }

        func send(_ block: StoredBlock, budget: Int) async -> BulkReply {
            #expect(budget == 64_000)
            got.withLock { $0.append(block.name) }
            return answers.withLock { $0.isEmpty ? .delivered : $0.removeFirst() }
        }
    }

    private func service(_ blocks: Blocks, _ server: Server, budget: Int? = 64_000) -> BulkService {
        var limits = BulkService.Limits()
        limits.lookEvery = .milliseconds(1)
        limits.pauseShortest = .milliseconds(1)
        limits.pauseLongest = .milliseconds(4)
        return BulkService(
            host: "bulk.ixon.net", blocks: blocks, carrier: server, budget: { budget },
            clock: SystemClock(),
            logger: Logger(label: "t", factory: { _ in SwiftLogNoOpLogHandler() }),
            limits: limits)
    }

    private func run(_ service: BulkService, until isDone: @escaping @Sendable () -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await service.run() }
            group.addTask {
                for _ in 0..<5000 where !isDone() { try? await Task.sleep(for: .milliseconds(1)) }
            }
            await group.next()
            group.cancelAll()
        }
    }

    @Test("each until the server has it, in order; the trouble is told, and goes")
    func order() async throws {
        let (blocks, server) = (
            Blocks(3),
            Server([
                .failed("is busy (503)", after: nil), .delivered,
                .failed("does not answer in time", after: nil),
                .failed("does not answer in time", after: .milliseconds(2)),
            ])
        )
        blocks.troubles.withLock { $0 = 1 }
        let service = service(blocks, server)
        await run(service) { blocks.waiting.withLock { $0.isEmpty } }
        // The first answer that counted could not be marked: that block came once more.
        let names = ["1", "1", "1", "1", "1", "2", "3"].map { $0 + ".block" }
        #expect(server.got.withLock { $0 } == names)
        let status = await service.status
        #expect(status.blocks == 3 && status.records == 9 && status.bytes == 300)
        #expect(await service.trouble == nil)
    }

    @Test("a trouble names the server")
    func trouble() async throws {
        let (blocks, server) = (
            Blocks(1), Server(Array(repeating: BulkReply(status: 403), count: 9999))
        )
        let service = service(blocks, server)
        await run(service) { server.got.withLock { $0.count > 3 } }
        #expect(
            await service.trouble?.hasPrefix("bulk.ixon.net refuses this router (403)") ?? false)
        #expect(await service.status.blocks == 0)
    }

    @Test("while no uplink carries, nothing is asked and nothing sent")
    func offline() async throws {
        let (blocks, server) = (Blocks(1), Server([]))
        let service = service(blocks, server, budget: nil)
        let started = ContinuousClock.now
        await run(service) { ContinuousClock.now - started > .milliseconds(50) }
        #expect(server.got.withLock { $0.isEmpty })
    }
}
