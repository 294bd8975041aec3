import Base
import Console
import Settings
import Uplinks

extension StatusReport {
    func lanSection(_ watch: LANWatch, _ now: Instant) -> StatusDocument.LAN {
        func seconds(_ since: Instant) -> Int { Int(max(0, (now - since).inSeconds)) }
        var section = StatusDocument.LAN()
        section.ports = watch.ports.map {
            .init(name: $0.name, hasCarrier: $0.hasCarrier, sinceSeconds: seconds($0.since))
        }
        section.machines = watch.machines.map {
            .init(
                name: $0.name, address: $0.address.description, isThere: $0.isThere,
                sinceSeconds: seconds($0.since))
        }
        return section
    }
}

extension LANWatchService.Wanted {
    /// Those machines that have an address.
    init(_ house: House) {
        let settings = house.settings
        let machines = settings.machines.filter { $0.serial == nil }
        self.init(
            interface: settings.lan.interface,
            machines: Dictionary(machines.map { ($0.name, $0.address) }) { first, _ in first })
    }
}
