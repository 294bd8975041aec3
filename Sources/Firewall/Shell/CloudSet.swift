package import Base
import Glibc
package import Linux

/// The set of cloud addresses that the router may reach, over one open netlink socket.
package struct CloudSet: ~Copyable, Sendable {
    private var socket: NFTablesSocket

    package init() throws(SystemError) {
        socket = try NFTablesSocket()
    }

    /// Opens addresses for a time, in one transaction.
    package mutating func open(
        _ addresses: [IPv4Address], for duration: Duration, in set: String = Ruleset.cloudSet
    ) throws(SystemError) {
        guard !addresses.isEmpty else { return }
        let attempted = "open \(addresses.count) \(set) addresses in the firewall"
        guard addresses.count <= NFTablesBatch.elementsMax else {
            throw SystemError(attempted, code: E2BIG)
        }
        let elements = Set(addresses).sorted().map {
            NFTablesElement(key: NFTablesElement.key($0), timeout: duration)
        }
        var batch = NFTablesBatch(
            table: Ruleset.table, NFTablesBatch.renewal(of: set, elements))
        try socket.commit(&batch, attempted)
    }
}
