import Glibc

/// A system call that failed: what was attempted, on what, and why.
///
/// Reads as `cannot bind probe socket to wwan0: No such device`.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was attempted and on what, lower case: `"bind probe socket to wwan0"`.
    package var attempted: String
    /// The errno value.
    package var code: Int32

    package init(_ attempted: String, code: Int32) {
        self.attempted = attempted
        self.code = code
    }

    package var description: String { "cannot \(attempted): \(String(cString: strerror(code)))" }
}

/// The result of a C call that returns −1 and sets errno; repeated while it was interrupted by a signal.
package func check<I: SignedInteger & FixedWidthInteger>(
    _ attempted: @autoclosure () -> String, _ call: () -> I
) throws(SystemError) -> I {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw SystemError(attempted(), code: code) }
    }
}

/// The result of a shim that returns −errno.
package func checkShim(_ attempted: @autoclosure () -> String, _ result: Int32)
    throws(SystemError) -> Int32
{
    guard result >= 0 else { throw SystemError(attempted(), code: -result) }
    return result
}

/// What a C call leaves in a buffer of `limit` bytes, of which it returns the number; like `check` otherwise.
///
/// The buffer is not cleared before, and the result takes no more room than its bytes.
func readBytes(
    _ attempted: @autoclosure () -> String, atMost limit: Int,
    _ call: (UnsafeMutableRawPointer?) -> Int
) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes: [UInt8] = withUnsafeTemporaryAllocation(byteCount: limit, alignment: 16) { buffer in
        do throws(SystemError) {
            let count = try check(attempted()) { call(buffer.baseAddress) }
            return Array(buffer[..<min(count, limit)])
        } catch {
            failure = error
            return []
        }
    }
    if let failure { throw failure }
    return bytes
}
