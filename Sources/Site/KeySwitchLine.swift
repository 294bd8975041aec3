import Base
import Glibc
import Linux

/// The key switch's wire: a line of the simulated GPIO chip, driven through fakegpiod's socket.
struct KeySwitchLine: Sendable {
    /// Line 3 of `gpiochip0`.
    static let name = "vpn-switch"

    /// fakegpiod's socket; the wire format is in `CFakeGPIO/include/fakegpio_proto.h`.
    let socket: String
    private static let controlCommand: UInt32 = 2
    private static let headerBytes = 12

    /// Turns the switch and returns the moment just before the level changed.
    @discardableResult
    func turn(_ position: SwitchPosition) async throws -> Instant {
        // The key's contact pulls the line down; open, or with a cut wire, it is pulled up: off.
        try await control("line \(Self.name) \(position == .on ? 0 : 1)")
    }

    /// Gives fakegpiod any of its commands, such as `bounce vpn-switch 7 300` or `unplug`.
    ///
    /// Returns the moment just before the first edge, by fakegpiod; or before the command, if there was none.
    @discardableResult
    func control(_ command: String) async throws -> Instant {
        let attempted = "connect to \(socket)"
        let address = try UnixAddress(socket, to: attempted)
        let descriptor = try UnixSocket.open(SOCK_SEQPACKET, to: attempted)
        let raw = descriptor.raw
        _ = try check(attempted) { address.with { connect(raw, $0, $1) } }
        let text = Array(command.utf8) + [0]
        let header = [Self.controlCommand, 0, UInt32(text.count)]
        let request = header.withUnsafeBytes { Array($0) } + text
        let sent = SystemClock().now()
        try descriptor.writeAll(request)
        let ready = try await Reactor.shared.wait(
            for: .readable, on: descriptor.raw, until: sent + .seconds(2))
        let reply = ready == .ready ? try descriptor.read(atMost: 4096) : []
        guard reply.count >= Self.headerBytes else {
            throw SiteError("fakegpiod did not answer `\(command)`")
        }
        let code = reply.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
        guard code == 0 else { throw SystemError("do `\(command)` in fakegpiod", code: code) }
        let moved =
            reply.count >= Self.headerBytes + 8
            ? reply.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: Self.headerBytes, as: Int64.self)
            } : 0
        return moved > 0 ? Instant(nanoseconds: moved) : sent
    }
}
