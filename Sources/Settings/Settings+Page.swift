package import Base

extension Settings {
    /// `[page]`: the read-only status page.
    package struct Page: Equatable, Sendable {
        /// An address of this router in the machine network, and a TCP port.
        package struct Listener: Hashable, Sendable {
            package var address: IPv4Address
            package var port: UInt16

            package init(address: IPv4Address, port: UInt16) {
                self.address = address
                self.port = port
            }
        }

        /// `listen`; nil: there is no page.
        package var listen: Listener?

        package init(listen: Listener? = nil) { self.listen = listen }
    }
}
