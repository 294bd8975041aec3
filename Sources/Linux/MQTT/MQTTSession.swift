import Base
import Glibc

/// What the thread knows about the session that it drives.
struct MQTTSession {
    var connectBy: Instant
    var isTCPUp = false
    var isAccepted = false
    /// The library's message numbers → the caller's.
    var numbers: [Int32: UInt64] = [:]
    var farewellBy: Instant?
    var lastWord: Int32?
    var lastWordConfirmed = false

    init(connectBy: Instant) {
        self.connectBy = connectBy
    }

    /// While connecting, asks the socket what the library does not tell: why TCP failed, and whether the
    /// peer hung up within the handshake (which the library takes for "try again", for ever).
    mutating func checkProgress(_ socket: Int32, _ options: MQTTOptions) throws(MQTTTrouble) {
        guard !isAccepted else { return }
        isTCPUp = isTCPUp || isConnected(socket)
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length)
        var byte: UInt8 = 0
        let hasEnded = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
        guard code == 0, !hasEnded else {
            if isTCPUp { throw .closedEarly(options) }
            // A refusal that came at once has been taken, and forgotten, by the library.
            let why = String(cString: strerror(code == 0 ? ECONNREFUSED : code))
            throw .unreachable(why: "cannot connect: \(why)")
        }
        if SystemClock().now() >= connectBy {
            let seconds = Int(options.connectTimeout.inSeconds)
            throw .unreachable(
                why: isTCPUp
                    ? "the server accepts connections but did not finish TLS and MQTT within \(seconds) s"
                    : "no answer within \(seconds) s")
        }
    }

    private func isConnected(_ socket: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getpeername(socket, $0, &length) == 0
            }
        }
    }
}
