package import Base
package import Settings

/// A kernel set of exceptions (§2.7): one look-up, however many there are.
package struct ExceptionSet: Equatable, Sendable {
    package struct Element: Equatable, Sendable {
        /// The place of the exception in the config.
        package var number: Int
        /// As nft writes it.
        package var text: String
        /// The first and the last key, as the kernel stores them; no last one in a set of exact keys.
        package var key: [UInt8]
        package var keyEnd: [UInt8]
        package var until: WallTime?
        package var when: WeeklyHours?

        /// Whether it is open for a time only.
        var isTimed: Bool { until != nil || when != nil }
    }

    package var name: String
    package var hasMAC: Bool
    /// One sender, one receiver, one port each: a hash table, which costs the same however full it is. With ranges the
    /// kernel's search grows with the elements.
    package var isExact: Bool
    package var from: Settings.Firewall.Zone
    package var to: Settings.Firewall.Zone
    package var elements: [Element]

    /// Room for all that a config may hold.
    package static let elementsMax = 16_384

    var declaration: [String] {
        let mac = hasMAC ? "ether_addr . " : ""
        return [
            "\tset \(name) {",
            "\t\ttype \(mac)ipv4_addr . ipv4_addr . inet_proto . inet_service",
            isExact ? "\t\tflags timeout" : "\t\tflags interval, timeout", "\t\tcounter",
            "\t\tsize \(Self.elementsMax)", "\t}",
        ]
    }

    /// The commands that fill it; `now` is nil while the clock is not known to be right, and then what is
    /// open for a time only stays closed.
    func filling(at now: WallTime?, _ zone: WeeklyHours.Zone) -> [String] {
        let members = elements.compactMap { element -> String? in
            switch element.opening(at: now, zone) {
            case .closed: return nil
            case .open(until: nil): return element.text
            // The kernel closes it, also when nobody is there to.
            case .open(until: let end?):
                let rest = end.milliseconds - (now?.milliseconds ?? 0)
                return element.text + " timeout \(max(1, rest / 1000))s"
            }
        }
        let set = "set inet \(Ruleset.table) \(name)"
        guard !members.isEmpty else { return ["flush \(set)"] }
        return [
            "flush \(set)",
            "add element inet \(Ruleset.table) \(name) { \(members.joined(separator: ",\n")) }",
        ]
    }
}

extension ExceptionSet {
    /// The sets that the config's exceptions need, in the order of their ways and layers.
    static func sets(_ allowed: [Settings.Firewall.Allow]) -> [ExceptionSet] {
        let layers = ExceptionBoxes(allowed).layers()
        var sets: [String: ExceptionSet] = [:]
        for (number, allow) in allowed.enumerated() {
            let kind = allow.mac == nil ? "" : "_mac"
            // Exact keys never overlap: two equal ones would cover each other, which `check` refuses.
            let layer = allow.isExact ? "exact" : "\(layers[number])"
            let name = "allow_\(allow.from.rawValue)_\(allow.to.rawValue)\(kind)_\(layer)"
            var set =
                sets[name]
                ?? ExceptionSet(
                    name: name, hasMAC: allow.mac != nil, isExact: allow.isExact, from: allow.from,
                    to: allow.to, elements: [])
            set.elements.append(Element(allow, number))
            sets[name] = set
        }
        return sets.values.sorted { $0.name < $1.name }
    }
}

extension Settings.Firewall.Allow {
    /// Whether it names one sender, one receiver and one port.
    fileprivate var isExact: Bool {
        let hosts = [source ?? .everything, destination ?? .everything]
        return hosts.allSatisfy { $0.range.count == 1 } && service.ports.count == 1
    }
}

extension ExceptionSet.Element {
    init(_ allow: Settings.Firewall.Allow, _ number: Int) {
        let source = (allow.source ?? .everything).range
        let destination = (allow.destination ?? .everything).range
        let ports = allow.service.ports
        let hosts = [source, destination].map { range in
            let ends = [range.lowerBound, range.upperBound].map { "\(IPv4Address(value: $0))" }
            return ends[0] == ends[1] ? ends[0] : ends.joined(separator: "-")
        }
        let port =
            ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
        self.number = number
        text = ((allow.mac.map { ["\($0)"] } ?? []) + hosts + [allow.service.protocolName, port])
            .joined(separator: " . ")
        until = allow.until
        when = allow.when
        // Each part of a concatenation begins at a multiple of four bytes.
        let mac = allow.mac.map { $0.bytes + [0, 0] } ?? []
        let transport: [UInt8] = [allow.service.protocolNumber, 0, 0, 0]
        func part(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xff), 0, 0] }
        key =
            mac + IPv4Address(value: source.lowerBound).bytes
            + IPv4Address(value: destination.lowerBound).bytes + transport + part(ports.lowerBound)
        keyEnd =
            allow.isExact
            ? []
            : mac + IPv4Address(value: source.upperBound).bytes
                + IPv4Address(value: destination.upperBound).bytes + transport
                + part(ports.upperBound)
    }
}
