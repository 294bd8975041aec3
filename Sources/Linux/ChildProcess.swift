import Base
import CLinux
import Glibc
import Synchronization

/// A supervised child process: its own session without a terminal, clean signals, awaited on a pidfd.
package final class ChildProcess: Sendable {
    /// How a child ended.
    package enum Exit: Equatable, Sendable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        package var isSuccess: Bool { self == .status(0) }

        package var description: String {
            switch self {
            case .status(let status): "exit status \(status)"
            case .signal(let signal): "killed by signal \(signal)"
            }
        }
    }

    /// What the child may do as an administrator.
    package enum Privileges: Sendable {
        /// What we may.
        case ours
        /// Nothing, and nothing can give it more: no capabilities, `no_new_privs`.
        case none
    }

    /// What becomes of a standard stream of the child.
    package enum Stream: Sendable {
        /// `/dev/null`.
        case null
        /// A pipe to us.
        case pipe
        /// Our own descriptor with this number.
        case inherit(Int32)
        /// Appended to a file, which is created with mode 0640.
        case file(String)
    }

    package let processID: Int32
    private let pidfd: Pidfd
    private let input: Mutex<Int32>
    /// Our end of the child's standard output, non-blocking; −1 unless it is a pipe.
    package let standardOutput: FileDescriptor
    /// Our end of the child's standard error, non-blocking; −1 unless it is a pipe.
    package let standardError: FileDescriptor
    private let exit: Task<Exit, Never>

    /// Starts a program by its absolute path, without a shell.
    ///
    /// Without `environment` the child gets only `PATH` and `LC_ALL=C`.
    package init(
        _ arguments: [String], environment: [String: String] = [:], input: Stream = .null,
        output: Stream = .null, error: Stream = .null, privileges: Privileges = .ours
    ) throws(SystemError) {
        var variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        variables.merge(environment) { $1 }
        let inputEnds = try Ends(input, childReads: true)
        let outputEnds = try Ends(output, childReads: false)
        let errorEnds = try Ends(error, childReads: false)
        let result = withCStrings(arguments) { argv in
            withCStrings(variables.map { "\($0)=\($1)" }) { envp in
                let streams = [inputEnds.child.raw, outputEnds.child.raw, errorEnds.child.raw]
                return switch privileges {
                case .ours: clinux_spawn(argv, envp, streams)
                case .none: clinux_spawn_bare(argv, envp, streams)
                }
            }
        }
        processID = try checkShim("start \(arguments.first ?? "")", result)
        let pidfd = Pidfd(
            FileDescriptor(
                owning: try checkShim("watch process \(processID)", clinux_pidfd_open(processID))))
        self.pidfd = pidfd
        self.input = Mutex(inputEnds.takeOurs().release())
        standardOutput = outputEnds.takeOurs()
        standardError = errorEnds.takeOurs()
        exit = Task.detached(executorPreference: Reactor.shared) {
            // Never cancelled, and it outlives this object when it must: a child has to be reaped.
            _ = try? await Reactor.shared.wait(for: .readable, on: pidfd.descriptor.raw)
            let code = clinux_pidfd_reap(pidfd.descriptor.raw)
            return code >= 256 ? .signal(code - 256) : .status(code)
        }
    }

    /// Writes to the child's standard input without blocking; returns the bytes taken or −errno.
    package func writeInput(_ bytes: ArraySlice<UInt8>) -> Int {
        input.withLock { raw in
            let count = bytes.withUnsafeBytes { write(raw, $0.baseAddress, $0.count) }
            return count < 0 ? -Int(errno) : count
        }
    }

    /// The number of our end of the child's standard input, −1 unless it is an open pipe; for waiting only.
    package var inputDescriptor: Int32 { input.withLock { $0 } }

    /// Closes the child's standard input: it reads the end.
    package func closeStandardInput() {
        input.withLock { raw in
            if raw >= 0 { close(raw) }
            raw = -1
        }
    }

    deinit { closeStandardInput() }

    /// Waits until the child has ended, and says how.
    package func waitForExit() async -> Exit { await exit.value }

    /// Sends a signal; does nothing when the child has ended.
    package func send(signal: Int32) {
        _ = clinux_pidfd_send_signal(pidfd.descriptor.raw, signal)
    }

    /// Ends the child: SIGTERM, and SIGKILL when it has not ended after `grace`.
    package func stop(grace: Duration) async -> Exit {
        send(signal: SIGTERM)
        let killer = Task.detached(executorPreference: Reactor.shared) {
            try await Reactor.shared.sleep(until: SystemClock().now() + grace)
            self.send(signal: SIGKILL)
        }
        let exit = await waitForExit()
        killer.cancel()
        return exit
    }

    /// Shared by this object and the task that reaps.
    private final class Pidfd: Sendable {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    /// The two ends of one standard stream.
    private final class Ends {
        let child: FileDescriptor
        private var ours: Int32

        init(_ stream: Stream, childReads: Bool) throws(SystemError) {
            ours = -1
            switch stream {
            case .null:
                child = try FileDescriptor(open: "/dev/null", flags: O_RDWR)
            case .inherit(let number):
                child = FileDescriptor(
                    owning: try check("duplicate descriptor \(number)") {
                        fcntl(number, F_DUPFD_CLOEXEC, 3)
                    })
            case .file(let path):
                child = try FileDescriptor(
                    open: path, flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
            case .pipe:
                var pair: [Int32] = [-1, -1]
                _ = try checkShim("make a pipe", clinux_pipe(&pair))
                child = FileDescriptor(owning: pair[childReads ? 0 : 1])
                ours = pair[childReads ? 1 : 0]
                _ = fcntl(ours, F_SETFL, O_NONBLOCK)
            }
        }

        func takeOurs() -> FileDescriptor {
            defer { ours = -1 }
            return FileDescriptor(owning: ours)
        }

        deinit { if ours >= 0 { close(ours) } }
    }
}

/// Calls `body` with a NULL-terminated array of C strings that live as long as the call.
package func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
) -> R {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    var pointers: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) }
    pointers.append(nil)
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("never empty") }
        return body(base)
    }
}
