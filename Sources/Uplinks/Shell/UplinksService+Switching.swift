import Base
import Linux
import Logging
import Settings

// From a verdict to the new route, and what then becomes of connections.
extension UplinksService {
    /// The kernel says that carriers are gone: what was known of the network is so no more.
    func carriersLost(_ silent: Set<Int32>) {
        guard hasStarted, var view = known else { return }
        let lost = view.links.indices.filter {
            view.links[$0].hasCarrier && silent.contains(view.links[$0].index)
        }
        guard !lost.isEmpty else { return }
        for link in lost { view.links[link].hasCarrier = false }
        known = view
        look(at: view)
    }

    /// Another uplink shall carry: its route is put in force at once, on what is known of the network. `settle` then looks whether
    /// all is as it shall be.
    func move() async throws {
        guard let view = known, settledOn != nil, selector.carrying != settledOn else { return }
        known = nil
        isUnsettled = true
        do {
            _ = try await putInForce(view)
        } catch let error as SystemError {
            logger.info("the route has changed meanwhile", metadata: ["error": "\(error)"])
        }
    }

    /// Looks at the network, tells the monitors, and puts the routing tables in order.
    func settle() async throws {
        isUnsettled = false
        do {
            let view = try await routes.read()
            look(at: view)
            if !hasStarted {
                hasStarted = true
                inherited = present(in: view)
                _ = selector.started(
                    uplinks.map(\.monitor.standing), present: inherited, at: clock.now())
                for number in uplinks.indices { perform([], number) }
            }
            isUnsettled = false
            guard let changes = try await putInForce(view) else {
                known = nil
                return
            }
            known = changes == 0 ? view : nil
            if problem != nil { logger.notice("routing tables are in order again") }
            problem = nil
        } catch let error as SystemError {
            known = nil
            retryAt = clock.now() + Self.retryPause
            if problem != "\(error)" {
                logger.warning("routing tables are not in order", metadata: ["error": "\(error)"])
            }
            problem = "\(error)"
        }
    }

    /// How many changes that took; nil: they must wait.
    ///
    /// The house hears of the route that carries as soon as it stands: what the kernel refuses of another uplink, such
    /// as a gateway that is in none of its networks, is no reason to leave cloud and connections on the old one.
    private func putInForce(_ view: NetworkView) async throws -> Int? {
        let plan = RoutePlan(
            interfaces: uplinks.map(\.settings.interface), paths: uplinks.map(\.path),
            carrying: selector.carrying)
        let orders = plan.changes(from: view)
        if !orders.isEmpty, let later = budget.spend(for: selector.carrying, at: clock.now()) {
            retryAt = later
            return nil
        }
        var failure: (any Error)?
        do {
            let carrying = orders.filter(\.isOfMainTable)
            if !carrying.isEmpty {
                try await routes.apply(carrying)
                noteQuarrel()
            }
            routesStand()
        } catch {
            failure = error
        }
        let others = orders.filter { !$0.isOfMainTable }
        if !others.isEmpty { try await routes.apply(others) }
        if let failure { throw failure }
        return orders.count
    }

    private func noteQuarrel() {
        let now = clock.now()
        let path = selector.carrying.flatMap { uplinks[$0].path }
        guard quarrel.routePut(over: path, at: now), let words = quarrel.words(at: now) else {
            return
        }
        logger.warning("the routes are somebody else's, too", metadata: ["error": "\(words)"])
    }

    private func routesStand() {
        noteSwitch()
        announceSelection()
    }

    /// Has connections forgotten whose uplink does not carry any more; never before the route leads elsewhere, for
    /// their next packets would begin them anew on the old one.
    func doChores(_ forget: (Int, Bool) -> Void) {
        guard settledOn == selector.carrying else { return }
        while let (uplink, works) = chores.next(at: clock.now(), carrying: selector.carrying) {
            forget(uplink, works)
        }
    }

    /// While a silence is looked into, each look counts: what came in since the last one may have come just before it.
    func hearTraffic() async {
        guard let carrying = selector.carrying, isCounting, uplinks[carrying].monitor.isSuspected,
            uplinks[carrying].monitor.nextWakeUp.map({ $0 <= clock.now() }) ?? false
        else { return }
        // Those that went are told by the regular look.
        trafficCounted(try? await flows?.counts(uplinks: uplinks.count))
    }
}

extension RouteChange {
    /// It concerns the route that carries.
    fileprivate var isOfMainTable: Bool {
        switch self {
        case .setDefault(let route), .prependDefault(let route), .deleteDefault(let route):
            route.table == DefaultRoute.mainTable
        case .addRule, .deleteRule: false
        }
    }
}
