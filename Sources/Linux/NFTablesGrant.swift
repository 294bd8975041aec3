import CLinux
import Glibc
import Synchronization

/// A table that marks packets, and that the kernel removes when its owner dies (`NFT_TABLE_F_OWNER`,
/// Linux 5.12).
///
/// Rules elsewhere that ask for the mark are therefore closed within one RCU period of the owner's
/// death, however it died; nobody else, `nft flush ruleset` included, can change or delete the table.
///
/// The owner is a thread that sleeps, with a descriptor table of its own. When the process is killed, the
/// kernel does not have to end its every thread and free its memory before it closes this one socket.
package final class NFTablesGrant: Sendable {
    private let end = Signal()

    private static let chain = "forward"
    /// Just before the rules of priority `filter`, 0.
    private static let priority: Int32 = -1

    /// Makes the table, in place of one without an owner; `mark` is given to what is forwarded between the
    /// two interfaces, in either direction.
    ///
    /// Throws on a kernel without owners of tables.
    package init(
        table: String, mark: UInt32, between first: String, and second: String,
        realTimePriority: Int32
    ) throws(SystemError) {
        let answer = Answer()
        let end = end
        BlockingThread.start(name: "gate-grant") {
            clinux_private_descriptors()
            // Without real-time rights the kernel may take longer to get at this thread.
            if clinux_realtime_thread(realTimePriority) != 0 { clinux_nice_thread(-20) }
            do throws(SystemError) {
                let socket = try Self.make(table, mark, first, second)
                answer.give(nil)
                end.wait()
                _ = consume socket
            } catch {
                answer.give(error)
            }
        }
        if let error = answer.wait() { throw error }
    }

    deinit { end.give() }

    /// The socket that owns the table: the table goes when it is closed.
    private static func make(
        _ table: String, _ mark: UInt32, _ first: String, _ second: String
    ) throws(SystemError) -> NFTablesSocket {
        let attempted = "make the firewall's table \(table), which ends with this process"
        var socket = try NFTablesSocket()
        var leftover = NFTablesBatch([
            .init(2) { $0.attribute(1, string: table) }  // NFT_MSG_DELTABLE, NFTA_TABLE_NAME
        ])
        do throws(SystemError) {
            try socket.commit(&leftover, attempted)
        } catch {
            guard error.code == ENOENT else { throw error }
        }
        var batch = NFTablesBatch([
            // NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL
            .init(0, flags: 0x600) {
                $0.attribute(1, string: table)  // NFTA_TABLE_NAME
                $0.attribute(2, network: UInt32(2))  // NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER
            },
            // NFT_MSG_NEWCHAIN, NLM_F_CREATE
            .init(3, flags: 0x400) {
                $0.attribute(1, string: table)  // NFTA_CHAIN_TABLE
                $0.attribute(3, string: Self.chain)  // NFTA_CHAIN_NAME
                $0.nested(4) {  // NFTA_CHAIN_HOOK
                    $0.attribute(1, network: UInt32(2))  // NFTA_HOOK_HOOKNUM, NF_INET_FORWARD
                    $0.attribute(2, network: Self.priority)  // NFTA_HOOK_PRIORITY
                }
                $0.attribute(5, network: UInt32(1))  // NFTA_CHAIN_POLICY, NF_ACCEPT
                $0.attribute(7, string: "filter")  // NFTA_CHAIN_TYPE
            },
            Self.rule(table, mark, from: first, to: second),
            Self.rule(table, mark, from: second, to: first),
        ])
        try socket.commit(&batch, attempted)
        return socket
    }

    /// `iifname FROM oifname TO meta mark set MARK`
    private static func rule(_ table: String, _ mark: UInt32, from: String, to: String)
        -> NFTablesBatch.Message
    {
        // NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND
        .init(6, flags: 0xc00) {
            $0.attribute(1, string: table)  // NFTA_RULE_TABLE
            $0.attribute(2, string: chain)  // NFTA_RULE_CHAIN
            $0.nested(4) { list in  // NFTA_RULE_EXPRESSIONS
                // NFT_META_IIFNAME, NFT_META_OIFNAME
                for (key, name) in [(UInt32(6), from), (UInt32(7), to)] {
                    expression("meta", &list) {
                        $0.attribute(1, network: UInt32(1))  // NFTA_META_DREG, NFT_REG_1
                        $0.attribute(2, network: key)  // NFTA_META_KEY
                    }
                    expression("cmp", &list) {
                        $0.attribute(1, network: UInt32(1))  // NFTA_CMP_SREG
                        $0.attribute(2, network: UInt32(0))  // NFTA_CMP_OP, NFT_CMP_EQ
                        // NFTA_CMP_DATA
                        $0.nested(3) { $0.attribute(1, NFTablesElement.key(name)) }
                    }
                }
                expression("immediate", &list) {
                    $0.attribute(1, network: UInt32(1))  // NFTA_IMMEDIATE_DREG
                    $0.nested(2) { $0.attribute(1, host: mark) }  // NFTA_IMMEDIATE_DATA
                }
                expression("meta", &list) {
                    $0.attribute(2, network: UInt32(3))  // NFTA_META_KEY, NFT_META_MARK
                    $0.attribute(3, network: UInt32(1))  // NFTA_META_SREG
                }
            }
        }
    }

    private static func expression(
        _ name: String, _ list: inout NetlinkMessage, _ data: (inout NetlinkMessage) -> Void
    ) {
        list.nested(1) {  // NFTA_LIST_ELEM
            $0.attribute(1, string: name)  // NFTA_EXPR_NAME
            $0.nested(2, data)  // NFTA_EXPR_DATA
        }
    }
}

/// What the thread says once.
private final class Answer: Sendable {
    private let error = Mutex<SystemError?>(nil)
    private let given = Signal()

    func give(_ error: SystemError?) {
        self.error.withLock { $0 = error }
        given.give()
    }

    func wait() -> SystemError? {
        given.wait()
        return error.withLock { $0 }
    }
}

/// A POSIX semaphore: it needs no descriptor.
private final class Signal: @unchecked Sendable {
    // Safe because sem_t is made for use by several threads.
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    init() { sem_init(raw, 0, 0) }
    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }
    func give() { sem_post(raw) }
    func wait() { while sem_wait(raw) < 0 && errno == EINTR {} }
}
