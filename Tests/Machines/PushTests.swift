import Base
import Glibc
import Linux
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Machines

/// What programs push: which lines are understood, and when they are answered.
@Suite("Push")
struct PushTests {
    private func parse(_ text: String) throws -> PushedLine? {
        try PushedLine.parse(Array(text.utf8)[...])
    }

    @Test("behaviour 8: names, values and times as the line protocol has them")
    func lines() throws {
        #expect(
            try parse(
                "press a=1,b=-2.5e3,c=3i,d=t,e=FALSE,f=\"x, \\\"y\\\" = \\\\\" 1790000000123456789\r"
            )
                == PushedLine(
                    source: "press",
                    values: [
                        .init(tag: "a", value: .double(1)), .init(tag: "b", value: .double(-2500)),
                        .init(tag: "c", value: .integer(3)), .init(tag: "d", value: .bool(true)),
                        .init(tag: "e", value: .bool(false)),
                        .init(tag: "f", value: .string("x, \"y\" = \\")),
                    ], wall: WallTime(milliseconds: 1_790_000_000_123)))
        #expect(
            try parse(#"line\ 4\,left été\=1=9223372036854775807i"#)
                == PushedLine(
                    source: "line 4,left",
                    values: [.init(tag: "été=1", value: .integer(.max))]))
        #expect(try parse("") == nil)
        #expect(try parse("# a comment") == nil)
    }

    @Test(
        "what is no line is refused, and why",
        arguments: [
            ("press", "cut short"), ("press ", "cut short"), (" a=1", "a source is"),
            ("press a", "cut short"), ("press a b=1", "\"a\" without a value"),
            ("press,site=4 a=1", "tag sets"), ("press a=", "is no value"),
            ("press a=nan", "is no value"), ("press a=inf", "is no value"),
            ("press a=0x10", "is no value"), ("press a=1e999", "is no value"),
            ("press a=9223372036854775808i", "is no value"), ("press a=\"x", "closing"),
            ("press a=1,", "cut short"), ("press a=1 x", "is no time"),
            ("press a=1 1 2", "is no time"), ("press a=\"x\"y", "something after"),
            ("pr\u{1}ess a=1", "control characters"),
            (String(repeating: "x", count: 129) + " a=1", "128 bytes"),
            ("press " + String(repeating: "a=1,", count: 256) + "a=1", "256 values"),
            ("press a=\"" + String(repeating: "x", count: 65_537) + "\"", "65536 bytes"),
            ("press a=\"" + String(repeating: "x", count: 140_000) + "\"", "longer than"),
        ])
    func refused(line: String, reason: String) {
        do {
            let read = try parse(line)
            Issue.record("taken: \(String(describing: read))")
        } catch {
            #expect("\(error)".contains(reason), "\(line.prefix(60)): \(error)")
        }
    }

    @Test("whatever comes: read or refused, and never beyond the limits")
    func fuzz() throws {
        var random = SeededGenerator(seed: 11)
        let letters =
            Array("press a=1,b=\"x\\\" \" t=true 12i #\\,= \r\u{fffd}é".utf8) + [0, 200, 255]
        var taken = 0
        for _ in 0..<40_000 {
            var bytes = Array("press a=1,b=\"x\",c=3i 1790000000".utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let letter = letters[Int.random(in: 0..<letters.count, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = letter
                case 1: bytes.insert(letter, at: place)
                default: if bytes.count > 1 { bytes.remove(at: place) }
                }
            }
            guard let line = try? PushedLine.parse(bytes[...]) else { continue }
            taken += 1
            #expect(!line.source.isEmpty && !line.values.isEmpty)
            #expect(line.values.count <= Limits.pushedValuesMax)
            for pair in line.values {
                #expect(!pair.tag.isEmpty && pair.tag.utf8.count <= Limits.pushedNameBytesMax)
                if case .double(let number) = pair.value { #expect(number.isFinite) }
            }
        }
        #expect(taken > 1000)
    }
}

/// The socket, with a ring that the test holds.
@Suite("Push socket", .timeLimit(.minutes(1)))
struct PushServiceTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/push.sock" }

    init() throws { folder = try TemporaryFolder() }

    /// What stands for the ring: it takes readings at once, or holds them, or fails.
    private final class Ring: Sendable {
        let taken = Mutex<[Reading]>([])
        let delay: Duration
        let failure: SystemError?

        init(delay: Duration = .zero, failure: SystemError? = nil) {
            self.delay = delay
            self.failure = failure
        }

        func record(_ readings: [Reading]) async throws {
            try await Task.sleep(for: delay)
            if let failure { throw failure }
            taken.withLock { $0 += readings }
        }
    }

    private func running(_ ring: Ring, _ body: () async throws -> Void) async throws {
        let service = PushService(
            path: path,
            conversation: PushConversation(
                sink: { try await ring.record($0) }, reserved: { ["plc-1", "drawbridge"] },
                clock: SystemClock(), wall: { WallTime(milliseconds: 5) }),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let task = Task { try await service.run() }
        defer { task.cancel() }
        for _ in 0..<500 {
            if access(path, F_OK) == 0 { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        try await body()
        task.cancel()
        try await task.value
        #expect(access(path, F_OK) != 0)
    }

    private func ask(_ caller: UnixStream, _ text: String, answers: Int) async throws -> [String] {
        let deadline = SystemClock().now() + .seconds(10)
        try await caller.write(Array(text.utf8), until: deadline)
        var heard: [UInt8] = []
        while heard.count(where: { $0 == 10 }) < answers {
            let more = try await caller.read(atMost: 4096, until: deadline)
            if more.isEmpty { break }
            heard += more
        }
        return String(decoding: heard, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    @Test("behaviour 8: one answer a line, in order, when the ring has it on flash")
    func answers() async throws {
        let ring = Ring(delay: .milliseconds(200))
        try await running(ring) {
            let caller = try UnixStream(connectingTo: path)
            let begun = SystemClock().now()
            let heard = try await ask(
                caller, "a x=1\n# nothing\n\nb x=oops\nplc-1 x=1\na y=2i,z=t 7000000\nhalf",
                answers: 4)
            #expect(SystemClock().now() - begun >= .milliseconds(200))
            #expect(heard.count == 4)
            #expect(heard[0] == "ok" && heard[3] == "ok")
            #expect(heard[1].hasPrefix("error: \"oops\" is no value"))
            #expect(heard[2] == "error: the source \"plc-1\" belongs to the router")
            let taken = ring.taken.withLock { $0 }
            #expect(taken.map(\.tag) == ["x", "y", "z"])
            #expect(taken.map(\.time.wall.milliseconds) == [5, 7, 7])
            #expect(try await ask(caller, "-way x=1\n", answers: 1) == ["ok"])
            #expect(ring.taken.withLock { $0.last?.source } == "half-way")
        }
    }

    @Test("a ring that fails: every line is told, and none is called accepted")
    func failing() async throws {
        try await running(Ring(failure: SystemError("write the journal", code: ENOSPC))) {
            let caller = try UnixStream(connectingTo: path)
            let heard = try await ask(caller, "a x=1\na x=2\n", answers: 2)
            #expect(heard.count == 2)
            #expect(heard.allSatisfy { $0.hasPrefix("error: not on flash: ") })
        }
    }

    @Test("a line without an end, and too many programs: an answer, and the connection ends")
    func limits() async throws {
        try await running(Ring()) {
            let endless = try UnixStream(connectingTo: path)
            let noise = String(repeating: "x", count: Limits.pushedLineBytesMax + 1)
            let told = try await ask(endless, noise, answers: 1)
            #expect(told.first?.hasPrefix("error: a line longer") ?? false)
            let end = SystemClock().now() + .seconds(10)
            #expect(try await endless.read(atMost: 10, until: end).isEmpty, "it has hung up")
            var callers: [UnixStream] = []
            for _ in 0..<Limits.pushConnectionsMax {
                let caller = try UnixStream(connectingTo: path)
                #expect(try await ask(caller, "a x=1\n", answers: 1) == ["ok"])
                callers.append(caller)
            }
            let late = try UnixStream(connectingTo: path)
            let heard = try await ask(late, "", answers: 1)
            #expect(heard == ["error: too many programs, at most \(Limits.pushConnectionsMax)"])
            #expect(callers.count == Limits.pushConnectionsMax)
        }
    }

    @Test("behaviour 8: the program that docs/push.md shows is a source")
    func example() async throws {
        let page = try String(decoding: Self.contents("docs/push.md"), as: UTF8.self)
        let program = try #require(
            page.split(separator: "```python\n").dropFirst().first?.split(separator: "\n```").first)
        #expect(program.split(separator: "\n").count <= 22)
        let ring = Ring()
        try await running(ring) {
            let here = program.replacing("/run/drawbridge/push.sock", with: path)
                .replacing("time.sleep(10)", with: "break")
            let result = try await Command.run(["/usr/bin/python3", "-c", String(here)])
            #expect(result.exit == .status(0), "\(result.error)")
            #expect(ring.taken.withLock { $0.map(\.tag) } == ["load.1", "load.5", "started"])
        }
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = try FileDescriptor(open: "/" + root + "/" + path, flags: O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(atMost: 65_536)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }
}
