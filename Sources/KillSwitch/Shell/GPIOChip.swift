import CGPIO
import Glibc
import Settings

/// Opening a chip and requesting one of its lines, as what fails is told.
enum GPIOChip {
    /// The caller closes what is returned (`cgpio_close`).
    ///
    /// `request` gets the chip and the line's number, and returns 0 or -errno.
    static func request(
        _ line: Settings.KeySwitch.Line, of chip: String,
        _ request: (OpaquePointer, UInt32) -> Int32
    ) throws(LineFailure) -> OpaquePointer {
        var opened: OpaquePointer?
        let rc = cgpio_open(chip, &opened)
        guard rc >= 0, let gpio = opened else { throw LineFailure(.openChip, code: -rc) }
        do throws(LineFailure) {
            let offset = try offset(of: line, on: gpio)
            let rc = request(gpio, offset)
            guard rc >= 0 else {
                let holder = rc == -EBUSY ? holder(of: offset, on: gpio) : nil
                throw LineFailure(.requestLine, code: -rc, holder: holder)
            }
        } catch {
            cgpio_close(gpio)
            throw error
        }
        return gpio
    }

    private static func offset(
        of line: Settings.KeySwitch.Line, on gpio: OpaquePointer
    ) throws(LineFailure) -> UInt32 {
        switch line {
        case .offset(let number):
            return number
        case .name(let name):
            let found = cgpio_find(gpio, name)
            guard found >= 0 else { throw LineFailure(.findLine, code: -found) }
            return UInt32(found)
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
}
