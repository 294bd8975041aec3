import Base
import Testing

@testable import Console

/// What is said of an uplink that wants a login.
@Suite("Words for login pages")
struct LoginWordsTests {
    private static let login = "wants a login at hotel.example (something else answers)"

    private func captive() -> StatusDocument {
        var document = goodDay()
        document.uplinks[1].login = Self.login
        return document
    }

    @Test("behaviour 4.13: status, uplinks and page say where the login is")
    func words() {
        #expect(StatusText.render(captive()).contains("login"))
        let text = UplinksText.render(captive())
        #expect(text.contains(Self.login))
        #expect(text.contains("login     "))
        var only = captive()
        only.uplinks[0].isCarrying = false
        only.uplinks[1].isCarrying = true
        #expect(
            UplinksText.sentence(only.uplinks[1]).contains("keeps the route, for nothing is better")
        )
    }

    @Test("behaviour 4.13: its beginning and its end are events")
    func events() {
        var watch = EventWatch()
        let now = Instant(nanoseconds: 1_000_000_000)
        _ = watch.handle(goodDay(), at: now)
        let begun = watch.handle(captive(), at: now + .seconds(1)).map(\.what)
        #expect(begun == ["wifi \(Self.login)"])
        #expect(watch.handle(captive(), at: now + .seconds(2)).isEmpty)
        let ended = watch.handle(goodDay(), at: now + .seconds(3)).map(\.what)
        #expect(ended == ["wifi wants no login any more"])
    }
}
