package import Base
import Glibc

extension BoundSocket {
    /// Sends a request over a connected stream and returns what comes back: until `isComplete` says so, the other side ends
    /// the connection, or there are `bytesMax` of it. `ETIMEDOUT` at the deadline, if nothing came.
    package borrowing func ask(
        _ request: [UInt8], bytesMax: Int, until deadline: Instant,
        isComplete: ([UInt8]) -> Bool
    ) async throws -> [UInt8] {
        let raw = descriptor
        // A short request fits the empty buffer of a connection that has just begun.
        let sent = request.withUnsafeBytes {
            send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == request.count else { throw SystemError("send a request", code: errno) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        while answer.count < bytesMax, !isComplete(answer) {
            let count = buffer.withUnsafeMutableBytes {
                recv(raw, $0.baseAddress, bytesMax - answer.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                answer += buffer[..<count]
                continue
            }
            if count == 0 { return answer }
            guard errno == EAGAIN || errno == EINTR else {
                throw SystemError("read an answer", code: errno)
            }
            let outcome = try await Reactor.shared.wait(for: .readable, on: raw, until: deadline)
            guard outcome == .ready else {
                if !answer.isEmpty { return answer }
                throw SystemError("read an answer", code: ETIMEDOUT)
            }
        }
        return answer
    }
}
