import CGPIO
import Settings

/// A requested output line, released at the end of its life.
struct GPIOOutput: ~Copyable {
    private let gpio: OpaquePointer
    private let onLevel: Settings.KeySwitch.Level

    /// Who holds the line, in `gpioinfo`.
    private static let consumer = "drawbridge-lamp"

    /// Opens the chip, finds the line and requests it with the level that `isOn` means.
    init(_ lamp: Settings.KeySwitch.Lamp, of chip: String, isOn: Bool) throws(LineFailure) {
        onLevel = lamp.onLevel
        let level = Self.level(isOn, lamp.onLevel)
        gpio = try GPIOChip.request(lamp.line, of: chip) {
            cgpio_request_output($0, $1, level, Self.consumer)
        }
    }

    func set(_ isOn: Bool) throws(LineFailure) {
        let rc = cgpio_set(gpio, Self.level(isOn, onLevel))
        guard rc >= 0 else { throw LineFailure(.setLevel, code: -rc) }
    }

    private static func level(_ isOn: Bool, _ onLevel: Settings.KeySwitch.Level) -> Int32 {
        isOn == (onLevel == .high) ? 1 : 0
    }

    deinit { cgpio_close(gpio) }
}
