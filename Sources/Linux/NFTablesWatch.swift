import CLinux
import Glibc
import Synchronization

/// Hears of every transaction of others on nf_tables in this network namespace (`NFNLGRP_NFTABLES`).
package struct NFTablesWatch: ~Copyable, Sendable {
    /// What was changed, and by whom.
    package struct Change: Hashable, Sendable {
        /// The thread that made it, as it calls itself; nil: more happened than could be heard.
        package var thread: String?
        /// Whether tables, chains, rules or sets were touched, besides elements of sets.
        package var touchesRules: Bool
    }

    private let socket: NetlinkSocket
    private let table: String
    /// Of the transaction that is being told, which may take several datagrams: whether it touches rules of the
    /// table, or only elements; nil: nothing of it yet.
    private let touched = Mutex<Bool?>(nil)
    /// The sockets whose changes the kernel leaves out.
    private let leftOut = Mutex<[UInt32]>([])
    /// Most datagrams read in one go.
    private static let datagramsMax = 4096

    package init(table: String) throws(SystemError) {
        self.table = table
        do throws(SystemError) {
            socket = try NetlinkSocket(family: 12, groups: [7])
        } catch {
            throw SystemError(
                "listen for changes of the firewall, which needs root or CAP_NET_ADMIN",
                code: error.code)
        }
    }

    package var descriptor: Int32 { socket.descriptor }

    /// Has the kernel leave out what this process does by its own sockets: the gate's lease is renewed several
    /// times a second, which nobody has to wake up for.
    ///
    /// The news of one transaction comes in datagrams of its own; each message carries the address of the
    /// socket that asked for the change, at byte 12.
    private borrowing func leaveOutOwn() throws(SystemError) {
        let own = OwnNFTables.portIDs
        guard leftOut.withLock({ $0 != own }) else { return }
        // Classic BPF (linux/filter.h), which loads in network byte order: BPF_LD | BPF_W | BPF_ABS,
        // BPF_JMP | BPF_JEQ | BPF_K for each address, and BPF_RET | BPF_K of everything or nothing.
        var program = [sock_filter(code: 0x20, jt: 0, jf: 0, k: 12)]
        for (index, portID) in own.enumerated() {
            let toDrop = UInt8(own.count - index)
            program.append(
                sock_filter(code: 0x15, jt: toDrop, jf: 0, k: portID.bigEndian))
        }
        program.append(sock_filter(code: 0x06, jt: 0, jf: 0, k: .max))
        program.append(sock_filter(code: 0x06, jt: 0, jf: 0, k: 0))
        let raw = descriptor
        _ = try check("leave out our own changes of the firewall") {
            program.withUnsafeMutableBufferPointer { program in
                var filter = sock_fprog(len: UInt16(program.count), filter: program.baseAddress)
                return setsockopt(
                    raw, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
                    socklen_t(MemoryLayout<sock_fprog>.size))
            }
        }
        leftOut.withLock { $0 = own }
    }

    /// The transactions heard since the last call that touched the table, or may have.
    package borrowing func changes() throws(SystemError) -> [Change] {
        let own = OwnNFTables.portIDs
        defer { try? leaveOutOwn() }
        var changes: [Change] = []
        var touched = touched.withLock { $0 }
        defer { self.touched.withLock { [touched] in $0 = touched } }
        for _ in 0..<Self.datagramsMax {
            let replies: [NetlinkReply]
            do throws(SystemError) {
                replies = try socket.receive(wait: false)
            } catch {
                if error.code == EAGAIN { break }
                guard error.code == ENOBUFS else { throw error }
                changes.append(Change(thread: nil, touchesRules: true))
                continue
            }
            for reply in replies where reply.type >> 8 == 10 && !own.contains(reply.portID) {
                let attributes = reply.attributes(after: 4)
                switch reply.type & 0xff {
                case 15:  // NFT_MSG_NEWGEN: the end of a transaction
                    if let rules = touched {
                        // NFTA_GEN_PROC_NAME; its number is of the first process namespace, not ours.
                        changes.append(
                            Change(thread: attributes[3]?.cString, touchesRules: rules))
                    }
                    touched = nil
                case 12, 14:  // NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM
                    if attributes[1]?.cString == table { touched = touched ?? false }
                default:
                    if attributes[1]?.cString == table { touched = true }
                }
            }
        }
        return changes
    }
}

/// The sockets through which this process itself changes nf_tables.
enum OwnNFTables {
    private static let known = Mutex<[UInt32]>([])

    /// The newest of them: as many as one filter of the kernel's tells apart. An older one is closed by then.
    static let portIDsMax = 64

    static func add(portID: UInt32) {
        known.withLock { known in
            known.removeAll { $0 == portID }
            known.append(portID)
            if known.count > portIDsMax { known.removeFirst() }
        }
    }

    static var portIDs: [UInt32] { known.withLock { $0 } }
}
