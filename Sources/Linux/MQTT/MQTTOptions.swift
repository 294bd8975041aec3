package import Base

package struct MQTTMessage: Equatable, Sendable {
    package var topic: String
    package var payload: [UInt8]
    /// Of a received one: whether the broker had kept it for whoever subscribes later.
    package var isRetained: Bool

    package init(topic: String, payload: [UInt8], isRetained: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.isRetained = isRetained
    }
}

/// Paths of the PEM files that prove who we are and who they are.
package struct MQTTIdentity: Equatable, Sendable {
    package var authority: String
    package var certificate: String
    package var key: String

    package init(authority: String, certificate: String, key: String) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }
}

/// A user and its password, for a broker that asks for them. Never logged.
package struct MQTTLogin: Equatable, Sendable {
    package var user: String
    package var password: String?

    package init(user: String, password: String?) {
        self.user = user
        self.password = password
    }
}

/// Everything that one connection needs to know. MQTT 3.1.1, clean session.
package struct MQTTOptions: Sendable {
    package var host: String
    package var port: UInt16
    package var clientID: String
    /// TLS by `TLSPolicy`; nil: plain TCP, for a broker in the machine network.
    package var identity: MQTTIdentity?
    package var login: MQTTLogin?
    /// Keys of the broker's chain, any one of which suffices; empty: none is asked for.
    package var pins: [SPKIPin] = []
    /// What the broker says in our place when we vanish; QoS 1.
    package var will: MQTTMessage?
    /// Topic filters; QoS 1.
    package var subscriptions: [String] = []
    /// Silence after which the library asks whether the broker is still there. 5…65,535 s
    package var keepAliveSeconds: Int32 = 15
    /// Name resolution excluded: TCP, TLS and the broker's answer together.
    package var connectTimeout = Duration.seconds(15)
    /// Received messages that may wait to be taken; more are dropped.
    package var receivedMax = 64
    /// Longest received message, in bytes; longer ones are dropped.
    package var receivedBytesMax = 64 * 1024

    package init(
        host: String, port: UInt16, clientID: String, identity: MQTTIdentity?,
        will: MQTTMessage? = nil, subscriptions: [String] = []
    ) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.identity = identity
        self.will = will
        self.subscriptions = subscriptions
    }

    /// For people: `mqtts://mqtt.ixon.net:443`
    package var url: String { "\(identity == nil ? "mqtt" : "mqtts")://\(host):\(port)" }
}

extension MQTTOptions {
    /// Finds out which file is at fault, which the library does not say.
    func checkFiles() throws(MQTTTrouble) {
        guard let identity else { return }
        for (key, path) in [
            ("ca", identity.authority), ("certificate", identity.certificate),
            ("key", identity.key),
        ] {
            do {
                let text = try SmallFile.readText(path)
                guard text.contains("-----BEGIN ") else {
                    throw MQTTTrouble.file(key: key, why: "\(path) is not a PEM file")
                }
            } catch let trouble as MQTTTrouble {
                throw trouble
            } catch {
                throw .file(key: key, why: "\(error)")
            }
        }
    }
}
