/// How a site is built.
package struct SiteOptions: Sendable {
    /// What becomes of the site's directory (logs, keys, the daemon's state) at the end.
    package enum Keep: Sendable {
        case never, onFailure, always
    }

    /// Our own programs; nil: those beside this executable.
    package var programs: Programs?
    /// Where the site's directory is made; nil: `TMPDIR`, or `/tmp`.
    package var temporaryDirectory: String?
    package var keep: Keep = .onFailure
    /// Whether to work in a user namespace; nil: only when we are not root.
    ///
    /// As root without one, real-time threads and other users' ids work as on a router.
    package var usesUserNamespace: Bool?
    /// The user that the daemon runs as, with the service's capabilities; nil: the site's own. Needs root, and programs
    /// that others may read.
    package var daemonUser: UInt32?
    /// The key switch's position at the start.
    package var keySwitch: SwitchPosition = .on
    /// Longest time any part may take until it is ready.
    package var readyWithin: Duration = .seconds(15)

    package init() {}
}

/// The positions of the key switch; the line's level is low when on, so that a cut wire is off.
package enum SwitchPosition: String, Sendable {
    case off, on
}
