import Glibc
import Linux
import TestSupport
import Testing

@Suite("Notify")
struct NotifyTests {
    /// A datagram socket bound to a name, as systemd's; `@` stands for an abstract one.
    private func listen(_ name: String) throws -> FileDescriptor {
        let attempted = "bind \(name)"
        let address = try UnixAddress(name, to: attempted)
        let listener = try UnixSocket.open(SOCK_DGRAM, to: attempted)
        let raw = listener.raw
        _ = try check(attempted) { address.with { bind(raw, $0, $1) } }
        return listener
    }

    private func received(_ socket: borrowing FileDescriptor) throws -> String {
        String(decoding: try socket.read(atMost: 4096), as: UTF8.self)
    }

    @Test("each state arrives as its own datagram, at a path and at an abstract name")
    func states() throws {
        let folder = try TemporaryFolder()
        for name in [folder.path + "/notify", "@drawbridge-notify-\(getpid())"] {
            let socket = try listen(name)
            let notify = Notify(socketPath: name)
            try notify.send(.ready)
            try notify.send(.status("closed: the key is off"))
            try notify.send(.watchdog)
            try notify.send(.stopping)
            #expect(try received(socket) == "READY=1")
            #expect(try received(socket) == "STATUS=closed: the key is off")
            #expect(try received(socket) == "WATCHDOG=1")
            #expect(try received(socket) == "STOPPING=1")
        }
    }

    @Test("a status is one line of bounded length: nothing in it can be another assignment")
    func statusIsOneLine() throws {
        let name = "@drawbridge-notify-line-\(getpid())"
        let socket = try listen(name)
        try Notify(socketPath: name).send(.status("a\nMAINPID=1\r"))
        #expect(try received(socket) == "STATUS=a MAINPID=1 ")
        try Notify(socketPath: name).send(.status(String(repeating: "x", count: 10_000)))
        #expect(try received(socket).utf8.count == 7 + Notify.statusBytesMax)
    }

    @Test("without systemd nothing happens; a socket that nobody serves is an error with its name")
    func nobodyThere() throws {
        try Notify(socketPath: nil).send(.ready)
        try Notify(socketPath: "").send(.ready)
        let error = #expect(throws: SystemError.self) {
            try Notify(socketPath: "/nonexistent/notify").send(.ready)
        }
        #expect(
            error?.description
                == "cannot notify systemd at /nonexistent/notify: No such file or directory")
        #expect(throws: SystemError.self) {
            try Notify(socketPath: "/" + String(repeating: "x", count: 200)).send(.ready)
        }
    }
}
