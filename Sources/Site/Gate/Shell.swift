package import Base
import Linux

/// A shell in a place of the site that carries out orders as they come: no time is lost on entering.
package final class Shell: Sendable {
    private let child: ChildProcess

    fileprivate init(_ child: ChildProcess) { self.child = child }

    /// Gives an order and does not wait for it; returns the moment just before.
    package func order(_ text: String) throws -> Instant {
        let now = SystemClock().now()
        let bytes = Array((text + "\n").utf8)
        guard child.writeInput(bytes[...]) == bytes.count else {
            throw SiteError("cannot give the shell the order `\(text)`: it has ended")
        }
        return now
    }
}

extension Site {
    /// Ends with its last reference.
    package nonisolated func openShell(in place: Place) throws -> Shell {
        Shell(
            try ChildProcess(
                holder.entering(place, ["sh"]), input: .pipe,
                error: .file(directory.log("shell"))))
    }
}
