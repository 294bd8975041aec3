import Glibc
import Linux
import TestSupport
import Testing

/// Requests on a kept socket, against the kernel.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs CAP_SYS_ADMIN"))
struct NetlinkSocketTests {
    /// A rule that looks into a table of ours.
    private func rule(_ priority: UInt32) -> Rtnl.Rule {
        Rtnl.Rule(priority: priority, table: 1000, ruleProtocol: 219)
    }

    @Test("a late acknowledgement is not taken for that of the next request")
    func lateAcknowledgement() throws {
        try NetworkNamespace.run {
            let socket = try NetlinkSocket(family: 0)
            // Its acknowledgement is left in the socket, as after a time-out.
            try socket.send(rule(7).request(.create, sequence: 0))
            #expect(throws: SystemError("delete a rule that is not there", code: ENOENT)) {
                try socket.transact(
                    rule(8).request(.delete, sequence: 0), "delete a rule that is not there")
            }
        }
    }

    @Test("the rest of an earlier dump does not end, or fill, the next one")
    func lateDump() throws {
        try NetworkNamespace.run {
            let socket = try NetlinkSocket(family: 0)
            try socket.transact(rule(7).request(.create, sequence: 0), "add a rule")
            try socket.send(Rtnl.Request.getLink.message(sequence: 0))
            let rules = try socket.dump(Rtnl.Request.getRule.message(sequence: 0), "list rules")
            #expect(rules.compactMap { Rtnl.Rule($0) }.contains(rule(7)))
            let links = try socket.dump(Rtnl.Request.getLink.message(sequence: 0), "list links")
            #expect(links.compactMap { Rtnl.Link($0) }.map(\.name) == ["lo"])
        }
    }

    @Test("several messages in one request: all are answered, the first refusal is told")
    func severalMessages() throws {
        try NetworkNamespace.run {
            let socket = try NetlinkSocket(family: 0)
            let request =
                rule(7).request(.create, sequence: 0) + rule(8).request(.delete, sequence: 0)
                + rule(9).request(.create, sequence: 0)
            #expect(throws: SystemError("change rules", code: ENOENT)) {
                try socket.transact(request, acknowledgements: 3, "change rules")
            }
            let rules = try socket.dump(Rtnl.Request.getRule.message(sequence: 0), "list rules")
            let own = rules.compactMap { Rtnl.Rule($0) }.filter { $0.ruleProtocol == 219 }
            #expect(own == [rule(7), rule(9)])
        }
    }
}
