import Base
import Glibc

/// A short-lived helper program, run to its end with bounded time and output.
package enum Command {
    package struct Result: Sendable {
        package var exit: ChildProcess.Exit
        package var output: String
        package var error: String
    }

    /// Most bytes kept of each output stream; what comes after is read and dropped.
    package static let outputBytesMax = 4 << 20
    /// Pieces of output that are read one after the other before the limit's timer, which is on the same thread, has its turn.
    private static let piecesMax = 16

    /// Runs a program with `input` on its standard input; kills it after `timeout`.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = "",
        timeout: Duration = .seconds(10)
    ) async throws -> Result {
        // By the caller's thread: the child is born into its network namespace.
        let child = try ChildProcess(
            arguments, environment: environment, input: .pipe, output: .pipe, error: .pipe)
        let bytes = Array(input.utf8)
        // All the rest on the reactor: were only the limit kept there, a busy pool could leave the output unread until the
        // child, which waits for a reader, was killed for it.
        return await withTaskExecutorPreference(Reactor.shared) {
            let killer = Task.detached(executorPreference: Reactor.shared) {
                try await Reactor.shared.sleep(until: SystemClock().now() + timeout)
                child.send(signal: SIGKILL)
            }
            defer { killer.cancel() }
            async let fed: Void = feed(child, bytes)
            async let output = collect(child.standardOutput.raw)
            async let error = collect(child.standardError.raw)
            // Also when our own task is cancelled the child is reaped before this returns.
            await fed
            let texts = await (output, error)
            return Result(exit: await child.waitForExit(), output: texts.0, error: texts.1)
        }
    }

    private static func feed(_ child: ChildProcess, _ bytes: [UInt8]) async {
        var done = 0
        while done < bytes.count {
            let count = child.writeInput(bytes[done...])
            if count > 0 {
                done += count
            } else if count == -Int(EAGAIN) {
                let raw = child.inputDescriptor
                guard (try? await Reactor.shared.wait(for: .writable, on: raw)) != nil else {
                    break
                }
            } else if count != -Int(EINTR) {
                break  // The child closed its input: what it says about it is in its error output.
            }
        }
        child.closeStandardInput()
    }

    private static func collect(_ raw: Int32) async -> String {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        var pieces = 0
        while true {
            pieces += 1
            // A child that writes without end never makes us wait.
            if pieces % piecesMax == 0 { await Task.yield() }
            let count = buffer.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
            if count > 0 {
                let room = max(0, outputBytesMax - content.count)
                content += buffer[0..<min(count, room)]
            } else if count < 0 && errno == EAGAIN {
                guard (try? await Reactor.shared.wait(for: .readable, on: raw)) != nil else {
                    break
                }
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        return String(decoding: content, as: UTF8.self)
    }
}
