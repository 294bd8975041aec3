/// Takes secrets out of texts that leave the house: what is named like one, and what looks like one.
package enum Redactor {
    static let mark = "[removed]"

    /// What a key, a header or an option is called that holds a secret.
    private static let names = [
        "pass", "secret", "token", "apikey", "api-key", "api_key", "psk", "pre-shared",
        "credential",
        "authorization", "auth-key", "private", "pincode", "pin", "puk", "community", "cookie",
        "session-key", "access-key", "access_key", "signature",
    ]

    /// The text without secrets. Keeps its lines, so that a config's errors still have their place.
    package static func clean(_ text: String) -> String {
        var isInBlock = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isBegin = line.contains("-----BEGIN ") && !line.contains("CERTIFICATE")
            if isBegin { isInBlock = true }
            defer { if line.contains("-----END ") { isInBlock = false } }
            return isInBlock ? mark : cleanLine(String(line))
        }
        return lines.joined(separator: "\n")
    }

    private static func cleanLine(_ line: String) -> String {
        var line = line
        // user:password@ in a URL.
        line = line.replacing(#/:\/\/[^\s\/@"']*@/#, with: "://\(mark)@")
        // A bearer token or basic authorization, a JSON web token.
        line = line.replacing(#/(?i)\b(bearer|basic)\s+[A-Za-z0-9+\/=._~-]{6,}/#) {
            "\($0.output.1) \(mark)"
        }
        line = line.replacing(#/\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]+)*/#, with: mark)
        return cleanValues(line)
    }

    /// `name = "value"`, `name: value`, `"name":"value"`, `name=value`, `--name value`.
    private static func cleanValues(_ line: String) -> String {
        let assigned = line.replacing(
            #/(?<name>[A-Za-z0-9_.\-]+)(?<between>["']?\s*[=:]\s*)(?<value>"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;}\]"']+)/#
        ) { match in
            isSecret(match.output.name)
                ? "\(match.output.name)\(match.output.between)\(mark)" : String(match.output.0)
        }
        return assigned.replacing(#/(?<name>--[A-Za-z0-9\-]+)\s+(?<value>[^\s\-]\S*)/#) { match in
            isSecret(match.output.name) ? "\(match.output.name) \(mark)" : String(match.output.0)
        }
    }

    private static func isSecret(_ name: Substring) -> Bool {
        let name = name.lowercased()
        let parts = name.split { "-_.".contains($0) }
        // A short word is one of its own: "spinning" is no PIN.
        return names.contains { $0.count > 3 ? name.contains($0) : parts.contains(Substring($0)) }
    }
}
