import Testing

@testable import Site

@Suite("The emulated machine")
struct MachineModelTests {
    @Test("registers hold what the table says, high word first")
    func registers() {
        let words = MachineModel().inputs
        #expect(words.count == 16)
        #expect(Float(bitPattern: UInt32(words[0]) << 16 | UInt32(words[1])) == 180)
        #expect(words[8] == 0x7275)  // "ru"
        #expect(words[11] == 0x6700)  // "g" and the padding
    }

    @Test("it moves: the oven follows its setpoint, the press counts and rests")
    func movement() {
        var model = MachineModel()
        var generator = SystemRandomNumberGenerator()
        var rested = false
        for _ in 0..<600 {
            model.step(setpoint: 200, using: &generator)
            rested = rested || !model.isRunning
        }
        #expect(abs(model.temperature - 200) < 5)
        #expect((80...120).contains(model.strokes))
        #expect(rested)
    }

    @Test(
        "only a read of holding:10 counts",
        arguments: [
            ([3, 0, 10, 0, 2], true), ([3, 0, 0, 0, 11], true), ([3, 0, 0, 0, 10], false),
            ([3, 0, 11, 0, 2], false), ([4, 0, 10, 0, 2], false), ([3, 0, 10], false),
        ] as [([UInt8], Bool)])
    func counter(pdu: [UInt8], counts: Bool) {
        #expect(MachineModel.readsCounter(pdu) == counts)
    }
}
