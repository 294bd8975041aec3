package import Base

extension Settings {
    /// `[[subscribe]]`: an MQTT broker in the machine network, whose messages are recorded.
    package struct Subscription: Equatable, Sendable {
        /// `name`: the source of all its tags.
        package var name: String
        /// `broker = "mqtt://address:port"`
        package var address: IPv4Address
        package var port: UInt16
        /// `user`; nil: the broker asks for none.
        package var user: String?
        /// `password-file`: its first line is the user's password.
        package var passwordFile: String?
        package var tags: [Tag]

        /// `[[subscribe.tag]]`
        package struct Tag: Equatable, Sendable {
            package var name = ""
            /// `topic`: a whole topic, without wildcards.
            package var topic = ""
            package var type = Kind.number
            /// `value`: where in a JSON payload the value stands (RFC 6901); nil: the payload is the value.
            package var pointer: JSONPointer?
            package var log = Log()

            package init() {}
        }

        /// `type`
        package enum Kind: String, CaseIterable, Sendable {
            case number, bool, string
        }

        /// `log.…`
        package struct Log: Equatable, Sendable {
            /// `on`
            package enum Occasion: String, CaseIterable, Sendable {
                case message, change
            }

            package var on = Occasion.message
            /// `deadband`: a number must differ by more than this, not negative.
            package var deadband = 0.0
            /// `expiry`: an unchanged value is recorded again after this time, 1 s … 30 d; nil: never.
            package var expiry: Duration?

            package init() {}
        }

        package init(name: String, address: IPv4Address, port: UInt16, tags: [Tag] = []) {
            self.name = name
            self.address = address
            self.port = port
            self.tags = tags
        }
    }

    /// A place in a JSON document (RFC 6901), such as `/values/0`.
    package struct JSONPointer: Equatable, Sendable {
        /// Member names, or numbers of elements.
        package var steps: [String]

        /// The most steps, and bytes, that one may have.
        package static let stepsMax = 16
        package static let bytesMax = 256

        /// Nil: not one or more steps that each begin with a slash.
        package init?(_ text: String) {
            guard text.hasPrefix("/"), text.utf8.count <= Self.bytesMax else { return nil }
            var steps: [String] = []
            for step in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
                let rest = step.replacing("~0", with: "").replacing("~1", with: "")
                guard !rest.contains("~") else { return nil }
                steps.append(String(step.replacing("~1", with: "/").replacing("~0", with: "~")))
            }
            guard steps.count <= Self.stepsMax else { return nil }
            self.steps = steps
        }

        /// As one writes it.
        package var text: String {
            steps.map { "/" + $0.replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
        }
    }
}
