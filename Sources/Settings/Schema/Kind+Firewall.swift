import Base

extension Kind where Value == CIDR {
    /// Hosts that a rule is about: an address, or a network.
    static let hosts = Kind.quoted(
        "an IPv4 address or network", hint: "such as \"10.1.2.3\" or \"10.1.2.0/24\"",
        text: { $0.prefixLength == 32 ? "\($0.network)" : "\($0)" }
    ) { text throws(Refusal) in
        if let address = IPv4Address(text) {
            return CIDR(containing: address, prefixLength: 32)
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]),
            let length = Int(decimal: parts[1]),
            let network = CIDR(containing: address, prefixLength: length)
        else { return nil }
        guard network.network == address else {
            throw Refusal("is an address within a network; write \"\(network)\"")
        }
        guard length > 0 else { throw Refusal("is everybody; leave the key out") }
        return network
    }
}

extension Kind where Value == MACAddress {
    static let mac = Kind.quoted(
        "a hardware address", hint: "six pairs of digits, such as \"02:00:5e:10:00:01\""
    ) { text in MACAddress(text) }
}

extension Kind where Value == Settings.Firewall.Service {
    static let service = Kind.quoted(
        "a port", hint: "tcp/ or udp/ and a number or two, or icmp, such as \"tcp/502\"",
        range: "1 to 65535"
    ) { text in Settings.Firewall.Service(text) }
}

extension Kind where Value == WallTime {
    /// A date and time in UTC, to the minute.
    static let until = Kind.quoted(
        "a time", hint: "a date and time in UTC, such as \"2027-01-31 18:00\"",
        range: "years 2024 to 2099", text: { "\($0.milliseconds)" }
    ) { text throws(Refusal) in
        let parts = text.split(whereSeparator: { "- :".contains($0) }).map { Int($0) }
        guard text.utf8.count == 16, parts.count == 5, let year = parts[0], let month = parts[1],
            let day = parts[2], let hour = parts[3], let minute = parts[4],
            (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute)
        else { return nil }
        guard (2024...2099).contains(year) else {
            throw Refusal("is out of range; write years 2024 to 2099")
        }
        let leap = year % 4 == 0
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else {
            throw Refusal("is not in the calendar")
        }
        // Within these years every fourth has a leap day.
        let days =
            (year - 1970) * 365 + (year - 1969) / 4 + lengths.prefix(month - 1).reduce(0, +) + day
            - 1
        let minutes = (days * 24 + hour) * 60 + minute
        return WallTime(milliseconds: Int64(minutes) * 60_000)
    }
}

extension Kind where Value == WeeklyHours {
    static let hours = Kind.quoted(
        "hours of the week",
        hint: "days and hours, such as \"mon-fri 06:00-18:00\" or \"daily 22:00-04:00\"",
        range: "1 to 8 of them"
    ) { text in WeeklyHours(text) }
}

extension Kind where Value == String {
    /// Words for people, on one line.
    static let comment = Kind.quoted(
        "a comment", hint: "why it is open, 1 to 100 characters on one line",
        range: "1 to 100 characters"
    ) { text in
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
        return (1...100).contains(text.count) && text.utf8.count <= 400 && isPlain ? text : nil
    }
}
