package import Base

/// A server besides the cloud's broker: where it is, and what our own session with it says.
package struct DoctorServer: Sendable {
    package enum Host: Equatable, Sendable {
        /// On the internet, over the uplink that carries.
        case name(DomainName)
        /// In the machine network.
        case address(IPv4Address)
    }

    /// `syslog`, `blocks`, `broker line-broker`
    package var part: String
    /// Where the config file names it: `[syslog] server`.
    package var key: String
    package var host: Host
    package var port: UInt16
    /// The authority of its certificate, a path; nil: it speaks no TLS.
    package var authority: String?
    /// Why our own session does not work, or its login; nil: it does.
    package var trouble: String?

    package init(
        part: String, key: String, host: Host, port: UInt16, authority: String?, trouble: String?
    ) {
        self.part = part
        self.key = key
        self.host = host
        self.port = port
        self.authority = authority
        self.trouble = trouble
    }
}

/// The port for clients of the machine network that push.
package struct DoctorPush: Sendable {
    /// `192.168.140.1:4470`
    package var listen: String
    package var clients: [String]
    /// Why nobody can push, or whose token cannot be used; nil: nothing is wrong.
    package var trouble: String?

    package init(listen: String, clients: [String], trouble: String?) {
        self.listen = listen
        self.clients = clients
        self.trouble = trouble
    }
}

extension DoctorFindings {
    struct Server: Sendable {
        var plan: DoctorServer
        /// Where the name leads; nil: nowhere.
        var address: IPv4Address?
        var resolveTrouble = ""
        /// Over which interface it was tried; nil: there is no way out.
        var interface: String?
        /// nil: not tried.
        var connection: Answer?
        var tls: TLS?
    }
}
