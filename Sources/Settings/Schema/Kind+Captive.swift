import Base

extension Kind where Value == Settings.CaptiveCheck {
    /// `off`, `http://host[:port][/path]`
    static let captiveCheck = Kind.quoted(
        "a page to check for",
        hint: "\"off\", or http://host/path, such as \"http://connectivity.example/generate_204\"",
        text: { $0.page?.url ?? "off" }
    ) { text throws(Refusal) in
        if text == "off" { return .off }
        guard !text.hasPrefix("https://") else {
            throw Refusal("is encrypted, so that no login page can answer it; write http://")
        }
        guard text.hasPrefix("http://"), text.utf8.count <= 256 else { return nil }
        let parts = text.dropFirst("http://".count)
            .split(separator: "/", omittingEmptySubsequences: false)
        let place = parts[0].contains(":") ? parts[0] : parts[0] + ":80"
        if let host = parts[0].split(separator: ":").first, IPv4Address(host) != nil {
            throw Refusal(
                "names an address; write a host's name, for some login pages show in what it becomes"
            )
        }
        guard let endpoint = try Kind<Settings.Endpoint>.endpoint(place, transport: .tcp) else {
            return nil
        }
        let isPath = parts.dropFirst().joined().allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || "-_.~".contains($0))
        }
        guard isPath else {
            throw Refusal(
                "has a path whose parts are not of letters, digits, - _ . and ~; it takes no query")
        }
        let path = parts.dropFirst().map { "/" + $0 }.joined()
        return .page(Settings.CheckPage(endpoint: endpoint, path: path.isEmpty ? "/" : path))
    }
}
