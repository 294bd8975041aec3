import CGPIO
import Settings

/// A requested input line of the key switch, released at the end of its life.
struct GPIOLine: ~Copyable {
    private let gpio: OpaquePointer
    /// Readable when an edge waits.
    let eventDescriptor: Int32

    /// Who holds the line, in `gpioinfo`.
    private static let consumer = "drawbridge-switch"

    /// Opens the chip, finds the line and requests it with both edges.
    init(_ line: Settings.KeySwitch.Line, _ settings: Settings.KeySwitch) throws(LineFailure) {
        let bias =
            switch settings.bias {
            case .asIs: CGPIO_BIAS_AS_IS
            case .pullUp: CGPIO_BIAS_PULL_UP
            case .pullDown: CGPIO_BIAS_PULL_DOWN
            case .disabled: CGPIO_BIAS_DISABLED
            }
        gpio = try GPIOChip.request(line, of: settings.chip) {
            cgpio_request($0, $1, bias, Self.consumer)
        }
        eventDescriptor = cgpio_event_fd(gpio)
    }

    /// Takes the waiting edges; does not block when there are none.
    ///
    /// Returns when the kernel saw the first of them, by `CLOCK_MONOTONIC` in nanoseconds; nil: there was none.
    func drain() throws(LineFailure) -> UInt64? {
        var first: UInt64 = 0
        let rc = cgpio_drain(gpio, &first)
        guard rc >= 0 else { throw LineFailure(.waitForEdge, code: -rc) }
        return rc > 0 ? first : nil
    }

    func level() throws(LineFailure) -> KeySwitch.Level {
        let rc = cgpio_level(gpio)
        guard rc >= 0 else { throw LineFailure(.readLevel, code: -rc) }
        return rc == 0 ? .low : .high
    }

    deinit { cgpio_close(gpio) }
}
