import Base
import Linux

/// The keys of the sessions: that of the session that stands, of the one to come, and of a request that waits. A key
/// that is taken off the shelf is cleared in memory.
struct CredentialShelf {
    struct Session {
        var credential: SessionCredential
        var issuedAt: Instant
    }

    /// What OpenVPN uses.
    private(set) var current: Session?
    /// What no session has used.
    private var fresh: Session?
    /// Of a request that the server has, but has not decided.
    private var pending: SessionKey?
    private var awaited = 0

    /// A new request: its key, and its number.
    mutating func begin() throws(EnrolmentFailure) -> (SessionKey, ticket: Int) {
        awaited += 1
        // The server wants to see the same request again (RFC 7030 §4.2.3).
        if let pending { return (pending, awaited) }
        do throws(TLSProblem) {
            return (try SessionKey(), awaited)
        } catch {
            throw EnrolmentFailure(error.why)
        }
    }

    /// Whether this is the newest request.
    func isAwaited(_ ticket: Int) -> Bool { ticket == awaited }

    /// What became of a request for the key.
    mutating func take(
        _ result: Result<SessionCredential, EnrolmentFailure>, of key: SessionKey, at now: Instant
    ) throws(EnrolmentFailure) -> SessionCredential {
        pending = nil
        do throws(EnrolmentFailure) {
            let credential = try result.get()
            fresh = Session(credential: credential, issuedAt: now)
            return credential
        } catch {
            if error.isPending { pending = key }
            throw error
        }
    }

    /// OpenVPN is about to begin a session, with a credential that none has used.
    mutating func use() {
        current = fresh
        fresh = nil
    }

    /// What was meant for it is of no use to the next one.
    mutating func childEnded() {
        current = nil
        fresh = nil
    }

    /// Remote access is forbidden: nothing is awaited, and nothing kept.
    mutating func clear() {
        awaited += 1
        childEnded()
        pending = nil
    }
}
