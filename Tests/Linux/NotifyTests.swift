import Glibc
import Linux
import Testing

@Suite("Notify")
struct NotifyTests {
    /// A datagram socket bound to a name, as systemd's; `@` stands for an abstract one.
    private func listen(_ name: String) throws -> FileDescriptor {
        let listener = FileDescriptor(
            owning: try check("make a socket") {
                socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
            })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let raw = listener.raw
        _ = try check("bind \(name)") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(raw, $0, socklen_t(MemoryLayout<sa_family_t>.size + bytes.count))
                }
            }
        }
        return listener
    }

    private func received(_ socket: borrowing FileDescriptor) throws -> String {
        String(decoding: try socket.read(atMost: 4096), as: UTF8.self)
    }

    @Test("each state arrives as its own datagram, at a path and at an abstract name")
    func states() throws {
        let path = "/tmp/drawbridge-notify-\(getpid())"
        defer { unlink(path) }
        for name in [path, "@drawbridge-notify-\(getpid())"] {
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
