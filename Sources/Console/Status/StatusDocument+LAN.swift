extension StatusDocument {
    /// The router's other side.
    package struct LAN: Codable, Equatable, Sendable {
        package struct Port: Codable, Equatable, Sendable {
            package var name: String
            package var hasCarrier: Bool
            package var sinceSeconds: Int

            package init(name: String, hasCarrier: Bool, sinceSeconds: Int) {
                self.name = name
                self.hasCarrier = hasCarrier
                self.sinceSeconds = sinceSeconds
            }
        }

        package struct Machine: Codable, Equatable, Sendable {
            package var name: String
            package var address: String
            /// Whether it answers ARP; nil: not known yet.
            package var isThere: Bool?
            package var sinceSeconds: Int

            package init(name: String, address: String, isThere: Bool?, sinceSeconds: Int) {
                self.name = name
                self.address = address
                self.isThere = isThere
                self.sinceSeconds = sinceSeconds
            }
        }

        package var ports: [Port] = []
        package var machines: [Machine] = []

        package init() {}
    }
}

extension StatusText {
    /// "no cable in lan0 since 14:02", or "nothing answers at 192.168.140.10 (plc-1) since 14:02, the cable is in".
    package static func troubles(_ lan: StatusDocument.LAN, at time: LocalTime) -> [String] {
        let open = lan.ports.filter { !$0.hasCarrier }
        if let first = open.first, open.count == lan.ports.count {
            let names = open.map(\.name).joined(separator: ", ")
            return ["LAN: no cable in \(names) since \(time.text(secondsAgo: first.sinceSeconds))"]
        }
        return lan.machines.filter { $0.isThere == false }.map {
            "LAN: nothing answers at \($0.address) (\($0.name)) since "
                + "\(time.text(secondsAgo: $0.sinceSeconds)), though the router's cable is in"
        }
    }
}

extension EventWatch {
    /// Cables that come and go, machines that do.
    func lan(_ last: StatusDocument.LAN?, _ now: StatusDocument.LAN?) -> [Event] {
        guard let last, let now else { return [] }
        let ports = now.ports.compactMap { port -> Event? in
            guard let before = last.ports.first(where: { $0.name == port.name }),
                before.hasCarrier != port.hasCarrier
            else { return nil }
            return Event(
                .machine, who: "LAN port \(port.name)",
                port.hasCarrier ? "a cable is in" : "no cable, or its other end is off")
        }
        let machines = now.machines.compactMap { machine -> Event? in
            let before = last.machines.first { $0.name == machine.name }
            guard let isThere = machine.isThere, before?.isThere != isThere,
                !isThere || before?.isThere != nil
            else { return nil }
            return Event(
                .machine, who: machine.name,
                isThere
                    ? "is on the LAN again, at \(machine.address)"
                    : "is not on the LAN: nothing answers at \(machine.address)")
        }
        return ports + machines
    }
}
