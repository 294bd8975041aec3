import Base
import Testing

@testable import drawbridge

@Suite("Which uplink carries", .timeLimit(.minutes(1)))
struct CarrierTests {
    @Test("one who waits and is cancelled does not let the others go")
    func cancelled() async {
        let carrier = Carrier([])
        let impatient = Task { await carrier.wait() }
        impatient.cancel()
        await impatient.value
        await withTaskGroup(of: String.self) { group in
            group.addTask {
                await carrier.wait()
                return "went"
            }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(100))
                return "stayed"
            }
            #expect(await group.next() == "stayed")
            carrier.begin()
            #expect(await group.next() == "went")
        }
    }

    @Test("an uplink that a changed config does not know has no budget")
    func unknown() {
        let carried = Carrier([]).carries("gone")
        #expect(carried.isFirst)
        #expect(carried.budget == nil)
    }
}
