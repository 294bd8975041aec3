import Glibc
import Settings
import Synchronization

/// Whose turn it is on a serial line that several units share: one exchange at a time, with the silence between that
/// tells frames apart (Modbus over serial line 1.02, §2.5.1.1).
final class SerialTurn: Sendable {
    private static let lines = Mutex<[String: SerialTurn]>([:])

    private let silenceMicroseconds: UInt32
    private let turn = Semaphore()

    /// The one of this line. Lines are few, and named by the config file: they are never forgotten.
    static func of(_ line: Settings.SerialLine) -> SerialTurn {
        lines.withLock { lines in
            let known = lines[line.device]
            let turn = known ?? SerialTurn(baud: line.baud)
            lines[line.device] = turn
            return turn
        }
    }

    private init(baud: Int) {
        // Three and a half characters of eleven bits, and no less than 1.75 ms.
        silenceMicroseconds = UInt32(max(1750, 38_500_000 / max(1, baud)))
    }

    /// Blocks until the line is free.
    func begin() { turn.wait() }

    func end() {
        usleep(silenceMicroseconds)
        turn.post()
    }
}

/// One permit. The corresponding C functions are `sem_wait` and `sem_post`.
private final class Semaphore: @unchecked Sendable {
    // Safe because semaphores are made to be used by many threads, and this one never moves.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 1)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func wait() {
        while sem_wait(semaphore) != 0 && errno == EINTR {}
    }

    func post() { sem_post(semaphore) }
}
