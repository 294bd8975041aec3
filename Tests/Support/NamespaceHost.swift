import Glibc
package import Linux

/// A host of a test: a network namespace that lives as long as this value, and a thread within it.
///
/// Sockets, children and services with a `ThreadExecutor` that are made inside `perform` or `run` are
/// in the namespace too: a new thread and a child inherit it from the thread that starts them.
package actor NamespaceHost {
    private let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    package init() throws {
        executor = try NetworkNamespace.run { ThreadExecutor(name: "test-host") }
    }

    /// Runs blocking code on the host's thread.
    package func perform<R: Sendable>(_ body: @Sendable () throws -> R) rethrows -> R {
        try body()
    }

    /// A path that `ip link set … netns` takes.
    package var path: String {
        var buffer = [CChar](repeating: 0, count: 64)
        // It links to "<process>/task/<thread>".
        let length = readlink("/proc/thread-self", &buffer, buffer.count)
        let target = buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        return "/proc/\(String(decoding: target, as: UTF8.self))/ns/net"
    }

    /// Runs a program on this host; its exit and output.
    @discardableResult
    package func run(_ arguments: [String], input: String = "") async throws -> Command.Result {
        try await Command.run(arguments, input: input)
    }

    /// Runs `ip` on this host; throws when it complains.
    package func ip(_ words: String) async throws {
        let result = try await run(["/usr/sbin/ip"] + words.split(separator: " ").map(String.init))
        guard result.exit.isSuccess else {
            throw SystemError("run ip \(words): \(result.error)", code: EINVAL)
        }
    }

    /// Joins this host and another by a cable: an interface here, one there.
    package func connect(
        _ interface: String, _ address: String, to other: NamespaceHost, _ otherInterface: String,
        _ otherAddress: String
    ) async throws {
        let path = await other.path
        try await ip("link add \(interface) type veth peer name \(otherInterface) netns \(path)")
        try await ip("address add \(address) dev \(interface)")
        try await ip("link set \(interface) up")
        try await other.ip("address add \(otherAddress) dev \(otherInterface)")
        try await other.ip("link set \(otherInterface) up")
        try await waitUntilUp(interface)
        try await other.waitUntilUp(otherInterface)
    }

    /// The kernel lets packets into a new cable only up to a second after both ends are up.
    private func waitUntilUp(_ interface: String) async throws {
        for _ in 0..<250 {
            let result = try await run(["/usr/sbin/ip", "link", "show", "dev", interface])
            if result.output.contains("state UP") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw SystemError("wait for interface \(interface) to be up", code: ETIMEDOUT)
    }
}
