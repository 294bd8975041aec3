import Settings
import Testing

@testable import Configuration

@Suite("config: what a change was, for the event log")
struct ChangeTests {
    private func change(_ old: String, _ new: String) -> ConfigurationChange {
        func sources(_ text: String) -> [SettingsSource] {
            [SettingsSource(name: "drawbridge.toml", bytes: Array(text.utf8))]
        }
        return ConfigurationChange(from: sources(old), to: sources(new))
    }

    @Test("the keys of lines that were added, changed and taken away; never a value")
    func keys() {
        let before = """
            [keepalive]
            interval = "1s"
            # a comment
            [lan]
            network = "10.0.0.0/24"
            """
        let after = """
            [lan]
            network = "10.0.0.0/24"

            [keepalive]
            interval = "2s"
            targets = [
                "192.0.2.77",
            ]
            """
        let found = change(before, after)
        #expect(found.keys == ["keepalive.interval", "keepalive.targets"])
        #expect(found.words == "keepalive.interval, keepalive.targets changed")
        #expect(change(before, before + "\n# more").words == "no key changed")
        #expect(change(after, before).keys == ["keepalive.interval", "keepalive.targets"])
    }

    @Test("a table more, and not too many words")
    func many() {
        let tag = "[[machine.tag]]\nname = \"a\"\n"
        #expect(change(tag, tag + tag).keys == ["machine.tag", "machine.tag.name"])
        let all = (1...9).map { "key\($0) = 1" }.joined(separator: "\n")
        #expect(change("", all).words == "key1, key2, key3, key4, key5, key6 and 3 more changed")
    }

    @Test("the words of the event")
    func words() {
        let news = ConfigurationNews.applied(
            number: 7, change: change("[lan]\na = 1", "[lan]\na = 2"), touched: ["uplinks"])
        #expect(news.words.hasPrefix("number 7 is in force (SHA-256 "))
        #expect(news.words.hasSuffix("): lan.a changed; begun anew: uplinks"))
        #expect(
            ConfigurationNews.refused(["a.toml:1:2: no", "a.toml:3:4: no"]).words
                == "refused, the one before stays in force: a.toml:1:2: no (and 1 more)")
    }
}
