import CGPIO
import Glibc
import Settings

/// The requested input line of the key switch, released at the end of its life.
struct GPIOLine: ~Copyable {
    private let gpio: OpaquePointer
    /// Readable when an edge waits.
    let eventDescriptor: Int32

    /// Who holds the line, in `gpioinfo`.
    private static let consumer = "drawbridge-switch"

    /// Opens the chip, finds the line and requests it with both edges.
    init(_ settings: Settings.KeySwitch) throws(LineFailure) {
        var opened: OpaquePointer?
        let rc = cgpio_open(settings.chip, &opened)
        guard rc >= 0, let gpio = opened else { throw LineFailure(.openChip, code: -rc) }
        do {
            try Self.request(settings, from: gpio)
        } catch {
            cgpio_close(gpio)
            throw error
        }
        self.gpio = gpio
        eventDescriptor = cgpio_event_fd(gpio)
    }

    private static func request(_ settings: Settings.KeySwitch, from gpio: OpaquePointer)
        throws(LineFailure)
    {
        let offset: UInt32
        switch settings.line {
        case .offset(let number):
            offset = number
        case .name(let name):
            let found = cgpio_find(gpio, name)
            guard found >= 0 else { throw LineFailure(.findLine, code: -found) }
            offset = UInt32(found)
        }
        let bias =
            switch settings.bias {
            case .asIs: CGPIO_BIAS_AS_IS
            case .pullUp: CGPIO_BIAS_PULL_UP
            case .pullDown: CGPIO_BIAS_PULL_DOWN
            case .disabled: CGPIO_BIAS_DISABLED
            }
        let rc = cgpio_request(gpio, offset, bias, consumer)
        guard rc >= 0 else {
            let holder = rc == -EBUSY ? holder(of: offset, on: gpio) : nil
            throw LineFailure(.requestLine, code: -rc, holder: holder)
        }
    }

    private static func holder(of offset: UInt32, on gpio: OpaquePointer) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let base = text.baseAddress,
                cgpio_holder(gpio, offset, base, text.count) > 0, base.pointee != 0
            else { return nil }
            return String(cString: base)
        }
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
