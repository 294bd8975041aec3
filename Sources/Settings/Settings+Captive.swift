import Base

extension Settings {
    /// `captive-check`: whether an uplink is asked for a login page, and by which page.
    package enum CaptiveCheck: Equatable, Sendable {
        case off
        case page(CheckPage)

        package var page: CheckPage? {
            switch self {
            case .off: nil
            case .page(let page): page
            }
        }
    }

    /// A page whose server answers 204 No Content: `http://host[:port]/path`.
    package struct CheckPage: Equatable, Sendable {
        package var endpoint: Endpoint
        /// With a slash before each part, at least one.
        package var path: String

        package init(endpoint: Endpoint, path: String) {
            self.endpoint = endpoint
            self.path = path
        }

        package var url: String { "http://\(endpoint.host):\(endpoint.port.port)\(path)" }
    }
}
