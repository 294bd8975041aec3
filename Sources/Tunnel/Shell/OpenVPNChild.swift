import Glibc
import Linux

/// One run of OpenVPN: its process, what it logs, and its end of the management interface.
final class OpenVPNChild: Sendable {
    enum Report: Sendable {
        /// It has connected to the management socket.
        case attached(ManagementConnection)
        case message(ManagementMessage)
        /// It logged a line.
        case line(String)
        /// The management connection failed.
        case lost(any Error)
    }

    let process: ChildProcess

    init(_ arguments: [String], privileges: ChildProcess.Privileges) throws(SystemError) {
        process = try ChildProcess(
            arguments, output: .pipe, error: .pipe, privileges: privileges)
    }

    /// Reports what it says, in order and one at a time for each source, until it has ended.
    ///
    /// Returns early for no reason, not even cancellation: a child must be waited for.
    func attend(_ socket: ManagementSocket, report: @escaping @Sendable (Report) async -> Void)
        async -> ChildProcess.Exit
    {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.readLog(self.process.standardOutput.raw, report) }
            group.addTask { await self.readLog(self.process.standardError.raw, report) }
            group.addTask { await self.converse(on: socket, report) }
            let exit = await process.waitForExit()
            group.cancelAll()
            return exit
        }
    }

    private func converse(
        on socket: ManagementSocket, _ report: @Sendable (Report) async -> Void
    ) async {
        var parser = ManagementParser()
        do {
            let connection = try await socket.accept(from: process.processID)
            await report(.attached(connection))
            while true {
                let bytes = try await connection.read()
                if bytes.isEmpty { return }
                for message in parser.take(bytes) { await report(.message(message)) }
            }
        } catch is CancellationError {
            // The child has ended.
        } catch {
            await report(.lost(error))
        }
    }

    /// Reads what it logs, until the end or until we are cancelled, and then what is still there.
    private func readLog(_ raw: Int32, _ report: @Sendable (Report) async -> Void) async {
        var splitter = LineSplitter()
        var buffer = [UInt8](repeating: 0, count: 4096)
        var isLast = false
        while true {
            let count = buffer.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
            if count > 0 {
                for line in splitter.take(buffer[..<count]) { await report(.line(line)) }
            } else if count < 0 && errno == EAGAIN {
                if isLast { return }
                isLast = (try? await Reactor.shared.wait(for: .readable, on: raw)) == nil
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }
}
