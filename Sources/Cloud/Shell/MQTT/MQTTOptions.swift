package import Base
import Linux

package struct MQTTMessage: Equatable, Sendable {
    package var topic: String
    package var payload: [UInt8]

    package init(topic: String, payload: [UInt8]) {
        self.topic = topic
        self.payload = payload
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

/// Everything that one connection needs to know. MQTT 3.1.1, clean session, TLS by `TLSPolicy`.
package struct MQTTOptions: Sendable {
    package var host: String
    package var port: UInt16
    package var clientID: String
    package var identity: MQTTIdentity
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
        host: String, port: UInt16, clientID: String, identity: MQTTIdentity,
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
    package var url: String { "mqtts://\(host):\(port)" }
}

extension MQTTOptions {
    /// Finds out which file is at fault, which the library does not say.
    func checkFiles() throws(MQTTTrouble) {
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
