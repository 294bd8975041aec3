package import Base
import Linux

/// Looks in `/proc` whose socket a question came from, while its program waits for the answer.
package struct SocketAskers: AskerFinder {
    package init() {}

    package func asker(at address: IPv4Address, port: UInt16) -> AskerLog.Asker? {
        SocketOwner.find(.init(address: address, port: port)).map { owner in
            AskerLog.Asker(uid: owner.uid, user: owner.user(), program: owner.program())
        }
    }
}
