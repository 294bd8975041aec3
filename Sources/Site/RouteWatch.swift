package import Base
import Glibc
import Linux

/// Listens to the kernel in the router's place of the daemon's own claims: when a carrier was lost or came back, and over
/// which interface the main table's default route leads. Both are heard on one socket, by one clock.
package enum RouteWatch {
    /// One line of the listener.
    package struct Heard: Equatable, Sendable {
        package enum What: Equatable, Sendable {
            case carrier(Bool)
            /// The default route of the lowest metric leads over this interface from now on.
            case carries
        }

        package var at: Instant
        package var interface: String
        package var what: What
    }

    /// Calls `report` for all that is heard, until the process ends.
    package static func run(isListening: () -> Void, report: (Heard) -> Void) throws {
        // Above all others, so that the times are not its own lateness; without the right to it, as it is.
        var priority = sched_param(sched_priority: 1)
        _ = sched_setscheduler(0, SCHED_FIFO, &priority)
        let socket = try NetlinkSocket(
            family: 0, groups: [Rtnl.Group.link, .routes].map(\.rawValue))
        let clock = SystemClock()
        var names: [Int32: String] = [:]
        var carriers: [String: Bool] = [:]
        var defaults: [UInt32: Int32] = [:]
        var carrying: Int32?
        isListening()
        while true {
            let replies: [NetlinkReply]
            do throws(SystemError) {
                replies = try socket.receive()
            } catch {
                // Nothing for two seconds is no failure.
                guard error.code == EAGAIN || error.code == EINTR else { throw error }
                continue
            }
            let now = clock.now()
            for reply in replies {
                if let link = Rtnl.Link(reply) {
                    names[link.index] = link.name
                    let hasCarrier = link.isRunning && link.isLowerUp
                    guard carriers[link.name] != hasCarrier else { continue }
                    carriers[link.name] = hasCarrier
                    report(Heard(at: now, interface: link.name, what: .carrier(hasCarrier)))
                } else if let route = Rtnl.Route(reply), route.destinationLength == 0,
                    route.table == 254, let index = route.interfaceIndex
                {
                    // RTM_NEWROUTE is 24; one of the same metric is replaced.
                    if reply.type == 24 {
                        defaults[route.metric] = index
                    } else if defaults[route.metric] == index {
                        defaults[route.metric] = nil
                    }
                    let first = defaults.min { $0.key < $1.key }?.value
                    guard first != carrying else { continue }
                    carrying = first
                    let name = first.map { names[$0] ?? interfaceName($0) } ?? "none"
                    report(Heard(at: now, interface: name, what: .carries))
                }
            }
        }
    }

    private static func interfaceName(_ index: Int32) -> String {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(UInt32(index), &name) != nil else { return "\(index)" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func line(_ heard: Heard) -> String {
        let what =
            switch heard.what {
            case .carrier(let isThere): isThere ? "carrier" : "no-carrier"
            case .carries: "carries"
            }
        return "\(heard.at.nanoseconds) \(what) \(heard.interface)"
    }

    package static func parse(_ text: String) -> [Heard] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let at = Int64(words[0]) else { return nil }
            let what: Heard.What
            switch words[1] {
            case "carrier": what = .carrier(true)
            case "no-carrier": what = .carrier(false)
            case "carries": what = .carries
            default: return nil
            }
            return Heard(
                at: Instant(nanoseconds: at), interface: String(words[2]), what: what)
        }
    }
}
