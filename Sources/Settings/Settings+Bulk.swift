import Base

extension Settings {
    /// `[bulk]`: the ring's sealed blocks go to an HTTPS server as they are stored.
    package struct Bulk: Equatable, Sendable {
        /// `url`: the folder that they are put into.
        package var folder: HTTPSFolder

        package init(folder: HTTPSFolder) { self.folder = folder }
    }

    /// `https://host[:port][/path]`, without a slash at its end.
    package struct HTTPSFolder: Equatable, Sendable {
        package var endpoint: Endpoint
        /// Empty, or with a slash before each part.
        package var path: String

        package init(endpoint: Endpoint, path: String) {
            self.endpoint = endpoint
            self.path = path
        }

        package var url: String { "https://\(endpoint.host):\(endpoint.port.port)\(path)" }
    }
}
