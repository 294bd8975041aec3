import Glibc
import Synchronization

/// Hears of every transaction on nf_tables in this network namespace (`NFNLGRP_NFTABLES`).
package struct NFTablesWatch: ~Copyable, Sendable {
    /// What was changed, and by whom.
    package struct Change: Hashable, Sendable {
        /// The thread that made it, as `comm` names it; nil: more happened than could be heard.
        package var thread: String?
        /// Whether tables, chains, rules or sets were touched, besides elements of sets.
        package var touchesRules: Bool
    }

    private let socket: NetlinkSocket
    private let table: String
    /// Of the transaction that is being told, which may take several datagrams: whether it touches rules of the
    /// table, or only elements; nil: nothing of it yet.
    private let touched = Mutex<Bool?>(nil)
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

    /// The transactions heard since the last call that touched the table, or may have.
    package borrowing func changes() throws(SystemError) -> [Change] {
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
            for reply in replies where reply.type >> 8 == 10 {
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

/// Whether a name is that of a thread of this process.
package struct OwnThreads: Sendable {
    private var known: Set<String> = []

    package init() {}

    package mutating func contains(_ name: String) -> Bool {
        if known.contains(name) { return true }
        known = []
        guard let directory = opendir("/proc/self/task") else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let number = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !number.hasPrefix("."),
                let comm = try? SmallFile.readText("/proc/self/task/\(number)/comm")
            else { continue }
            known.insert(String(comm.prefix { $0 != "\n" }))
        }
        return known.contains(name)
    }
}
