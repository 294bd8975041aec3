import Base
import CMicroHTTPD
import Glibc
import Linux
import Synchronization

/// Answers in memory, as the C library copies them.
private final class Body: Sendable {
    // Safe because it is written before anybody else has it, and never again.
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer

    init(_ text: String) {
        let content = Array(text.utf8)
        bytes = .allocate(byteCount: max(1, content.count), alignment: 1)
        bytes.copyBytes(from: content)
        count = content.count
    }

    let count: Int

    deinit { bytes.deallocate() }
}

/// The pages that can be had at this moment.
final class PageShelf: Sendable {
    private struct Content {
        var live = Body("")
        var still = Body("")
        var metrics = Body("")
        var budget = RequestBudget()
    }
    private let content = Mutex(Content())
    private let absent = Body("there is only /, /still and /metrics\n")
    private let busy = Body("too many requests: wait a few seconds\n")

    func put(live: String, still: String, metrics: String) {
        content.withLock {
            $0.live = Body(live)
            $0.still = Body(still)
            $0.metrics = Body(metrics)
        }
    }

    /// Fills in an answer, whose bytes stay until the next `put`.
    fileprivate func answer(
        _ path: String, from peer: IPv4Address, _ answer: inout chttp_answer
    ) {
        let now = SystemClock().now()
        let (status, isHTML, body): (UInt32, Bool, Body) = content.withLock { content in
            guard content.budget.admits(peer, at: now) else { return (429, false, busy) }
            return switch path {
            case "/": (200, true, content.live)
            case "/still": (200, true, content.still)
            case "/metrics": (200, false, content.metrics)
            default: (404, false, absent)
            }
        }
        answer.status = status
        answer.refresh = path == "/" && status == 200 ? 10 : 0
        answer.is_html = isHTML ? 1 : 0
        answer.body = UnsafeRawPointer(body.bytes.baseAddress)
        answer.length = body.count
    }
}

/// The C library's server; it does its work when it is told to, and never blocks.
final class PageListener {
    private let server: OpaquePointer
    private let shelf: PageShelf

    /// Connections at once, from everybody and from one address; and how long one may idle, in seconds.
    private static let connectionsMax: UInt32 = 16
    private static let connectionsPerAddressMax: UInt32 = 6
    private static let idleSeconds: UInt32 = 5

    init(_ address: IPv4Address, port: UInt16, shelf: PageShelf) throws(SystemError) {
        let context = Unmanaged.passUnretained(shelf).toOpaque()
        guard
            let server = chttp_listen(
                address.value, port, Self.connectionsMax, Self.connectionsPerAddressMax,
                Self.idleSeconds, answerPage, context)
        else { throw SystemError("listen on \(address) tcp/\(port)", code: errno) }
        self.server = server
        self.shelf = shelf
    }

    deinit { chttp_stop(server) }

    var descriptor: Int32 { chttp_descriptor(server) }

    /// Answers who is waiting; returns when to come back even if nobody comes.
    func work() -> Duration? {
        let pause = chttp_run(server)
        return pause >= 0 ? .milliseconds(pause) : nil
    }
}

/// A file-level function: a closure written in an isolated context would trap on a foreign thread.
private func answerPage(
    _ context: UnsafeMutableRawPointer?, _ path: UnsafePointer<CChar>?, _ peer: UInt32,
    _ answer: UnsafeMutablePointer<chttp_answer>?
) {
    guard let context, let path, let answer else { return }
    Unmanaged<PageShelf>.fromOpaque(context).takeUnretainedValue().answer(
        String(cString: path), from: IPv4Address(value: peer), &answer.pointee)
}
