import Base

extension Kind where Value == Settings.HTTPSFolder {
    /// `https://host[:port][/path]`
    static let httpsFolder = Kind.quoted(
        "a folder of an HTTPS server",
        hint: "https://host, also with :port and /path, such as \"https://bulk.ixon.net/blocks\"",
        text: { $0.url }
    ) { text throws(Refusal) in
        guard !text.hasPrefix("http://") else {
            throw Refusal("is not encrypted; write https://")
        }
        guard text.hasPrefix("https://"), text.utf8.count <= 512 else { return nil }
        let parts = text.dropFirst("https://".count)
            .split(separator: "/", omittingEmptySubsequences: false)
        let place = parts[0].contains(":") ? parts[0] : parts[0] + ":443"
        guard let endpoint = try Kind<Settings.Endpoint>.endpoint(place, transport: .tcp) else {
            return nil
        }
        var folders = parts.dropFirst()
        // One slash at the end says nothing.
        if folders.last == "" { folders.removeLast() }
        let isPath = folders.allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".")
                && part.allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || "-_.~".contains($0))
                }
        }
        guard isPath else {
            throw Refusal(
                "has a path whose parts are not of letters, digits, - _ . and ~; it takes no query")
        }
        return Settings.HTTPSFolder(
            endpoint: endpoint, path: folders.map { "/" + $0 }.joined())
    }
}
