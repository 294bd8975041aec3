/// The emulated machine, a press with an oven: what its registers hold, and how that moves.
///
/// | register | type | |
/// |---|---|---|
/// | input:0 | float32 | oven temperature, °C |
/// | input:2 | uint32 | press strokes |
/// | input:8 | 16 bytes | state: `running` or `idle` |
/// | holding:0 | int16 | oven setpoint, 0.1 °C; may be written |
/// | holding:10 | uint32 | how often it was read |
/// | holding:100 to 498 | float32 | 200 values that each move once a second |
/// | discrete:0 | bool | running |
/// | coil:0 | bool | door closed; may be written |
struct MachineModel: Equatable, Sendable {
    private(set) var temperature = 180.0
    private(set) var strokes: UInt32 = 0
    private(set) var isRunning = true
    private var steps = 0

    /// A tenth of a second passes: the oven drifts towards its setpoint, the press strokes twice a second,
    /// and rests for 5 s after each 20 s.
    mutating func step(setpoint: Double, using generator: inout some RandomNumberGenerator) {
        steps += 1
        let drift = Double(Int.random(in: -1...1, using: &generator)) / 10
        let pull = abs(setpoint - temperature) < 1 ? 0 : setpoint > temperature ? 0.1 : -0.1
        temperature = ((temperature + drift + pull) * 10).rounded() / 10
        isRunning = steps % 250 < 200
        if isRunning, steps.isMultiple(of: 5) { strokes &+= 1 }
    }

    /// The input registers from 0 on; two-register values have their high word first.
    var inputs: [UInt16] {
        let text = Array((isRunning ? "running" : "idle").utf8)
        let padded = text + [UInt8](repeating: 0, count: 16 - text.count)
        return Self.words(Float(temperature).bitPattern) + Self.words(strokes) + [0, 0, 0, 0]
            + stride(from: 0, to: 16, by: 2).map {
                UInt16(padded[$0]) << 8 | UInt16(padded[$0 + 1])
            }
    }

    static let seriesStart = 100
    static let seriesCount = 200

    /// The holding registers from `seriesStart` on.
    var series: [UInt16] {
        (0..<Self.seriesCount).flatMap { number in
            Self.words((Float(number) + Float(steps / 10 % 100) / 100).bitPattern)
        }
    }

    static func words(_ value: UInt32) -> [UInt16] {
        [UInt16(truncatingIfNeeded: value >> 16), UInt16(truncatingIfNeeded: value)]
    }

    /// Whether a Modbus request (PDU: function code, address, count) reads the register `holding:10`.
    static func readsCounter(_ pdu: [UInt8]) -> Bool {
        guard pdu.count >= 5, pdu[0] == 3 else { return false }
        let first = Int(pdu[1]) << 8 | Int(pdu[2])
        let count = Int(pdu[3]) << 8 | Int(pdu[4])
        return first <= 10 && first + count > 10
    }
}
