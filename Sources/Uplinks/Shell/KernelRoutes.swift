import Base
import Glibc
package import Linux

/// The routing tables of the kernel, over rtnetlink.
///
/// Both sockets are opened by the thread (and in the network namespace) that makes it.
/// Requests may wait for the kernel's routing lock, so they run on a thread of their own.
package actor KernelRoutes: RouteTable {
    /// The protocol number of our routes and rules (`ip route show proto 219`): not one that
    /// `/etc/iproute2/rt_protos` knows.
    package static let routeProtocol: UInt8 = 219
    /// Most notifications read in one go.
    private static let notificationsMax = 1024

    private let thread = ThreadExecutor(name: "rtnetlink")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    private let requests: NetlinkSocket
    private nonisolated let notifications: NetlinkSocket
    private var sequence: UInt32 = 0
    /// Interfaces as they were last read: an error says their names.
    private var names: [Int32: String] = [:]

    package init() throws(SystemError) {
        requests = try NetlinkSocket(family: 0)
        notifications = try NetlinkSocket(
            family: 0, groups: [Rtnl.Group.link, .addresses, .routes, .rules].map(\.rawValue))
    }

    package func read() throws -> NetworkView {
        let links = try dump(.getLink, "list interfaces").compactMap { Rtnl.Link($0) }
        let addresses = try dump(.getAddress, "list addresses").compactMap { Rtnl.Address($0) }
        let routes = try dump(.getRoute, "list routes").compactMap { Rtnl.Route($0) }
        let rules = try dump(.getRule, "list routing rules").compactMap { Rtnl.Rule($0) }
        names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        return NetworkView(
            links: links.map { NetworkView.Link($0) },
            addresses: addresses.compactMap { NetworkView.Address($0) },
            defaults: routes.compactMap { DefaultRoute($0) },
            rules: rules.compactMap { PolicyRule($0) })
    }

    package func apply(_ changes: [RouteChange]) throws {
        var failure: SystemError?
        for change in changes {
            do throws(SystemError) {
                sequence &+= 1
                try requests.transact(
                    change.message(sequence: sequence), change.attempted(names))
            } catch {
                // Race: somebody else has just added or removed the same.
                if change.isFulfilled(by: error.code) { continue }
                failure = failure ?? error
            }
        }
        guard let failure else { return }
        guard failure.code != EPERM else {
            throw MissingCapability(cause: failure, capability: "CAP_NET_ADMIN")
        }
        throw failure
    }

    @discardableResult
    package nonisolated func waitForChange() async throws -> Set<Int32> {
        while true {
            _ = try await Reactor.shared.wait(
                for: .readable, on: notifications.descriptor)
            if let silent = try drainNotifications() { return silent }
        }
    }

    /// Reads what is there: the interfaces that have lost their carrier; nil if nothing of it can concern us.
    private nonisolated func drainNotifications() throws(SystemError) -> Set<Int32>? {
        var concernsUs = false
        var silent: Set<Int32> = []
        for _ in 0..<Self.notificationsMax {
            do throws(SystemError) {
                for message in try notifications.receive(wait: false) {
                    if let route = Rtnl.Route(message), route.destinationLength > 0 { continue }
                    concernsUs = true
                    guard let link = Rtnl.Link(message) else { continue }
                    if NetworkView.Link(link).hasCarrier {
                        silent.remove(link.index)
                    } else {
                        silent.insert(link.index)
                    }
                }
            } catch {
                switch error.code {
                case EAGAIN: return concernsUs ? silent : nil
                // The kernel had more to say than fits: look at everything.
                case ENOBUFS: concernsUs = true
                default: throw error
                }
            }
        }
        return silent
    }

    private func dump(_ request: Rtnl.Request, _ attempted: String) throws(SystemError)
        -> [NetlinkReply]
    {
        sequence &+= 1
        return try requests.dump(request.message(sequence: sequence), attempted)
    }
}

extension RouteChange {
    /// The order as a netlink message that asks for an acknowledgement.
    func message(sequence: UInt32) -> [UInt8] {
        switch self {
        case .setDefault(let route):
            Rtnl.Route(route).request(.createOrReplace, sequence: sequence)
        case .prependDefault(let route):
            Rtnl.Route(route).request(.createBefore, sequence: sequence)
        case .deleteDefault(let route):
            Rtnl.Route(route).request(.delete, sequence: sequence)
        case .addRule(let rule):
            Rtnl.Rule(rule).request(.create, sequence: sequence)
        case .deleteRule(let rule):
            Rtnl.Rule(rule).request(.delete, sequence: sequence)
        }
    }

    /// What it attempts, for an error message; `names` of interfaces by their index.
    func attempted(_ names: [Int32: String]) -> String {
        switch self {
        case .setDefault(let route): "set the default route \(route.words(names))"
        case .prependDefault(let route): "add the default route \(route.words(names))"
        case .deleteDefault(let route): "delete the default route \(route.words(names))"
        case .addRule(let rule): "add routing rule \(rule.priority)"
        case .deleteRule(let rule): "delete routing rule \(rule.priority)"
        }
    }

    /// Whether a refusal with this errno value means that the change is there already.
    func isFulfilled(by code: Int32) -> Bool {
        switch self {
        case .setDefault: false
        case .prependDefault, .addRule: code == EEXIST
        case .deleteDefault, .deleteRule: code == ESRCH || code == ENOENT
        }
    }
}

extension DefaultRoute {
    fileprivate func words(_ names: [Int32: String]) -> String {
        let via = gateway.map { "via \($0) " } ?? ""
        let interface = names[interfaceIndex] ?? "interface \(interfaceIndex)"
        return "\(via)over \(interface) in table \(table)"
    }
}
