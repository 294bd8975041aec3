package import Base

/// What goes to the broker, and where.
package struct CloudMessage: Equatable, Sendable {
    package var topic: String
    package var payload: [UInt8]

    package init(topic: String, payload: [UInt8]) {
        self.topic = topic
        self.payload = payload
    }
}

/// What an edge node says in one MQTT session, in which words and in which order.
package protocol PayloadSession: Sendable {
    /// A new connection is about to be made; what comes back is its will.
    mutating func connecting(at wall: WallTime) -> CloudMessage
    /// The broker accepted us, or somebody asked for it: everything that was said before is void.
    mutating func births(at wall: WallTime) -> [CloudMessage]
    /// Records of one source, to be sent now.
    mutating func data(_ parcel: Delivery.Parcel, at wall: WallTime) -> CloudMessage
    /// The node's end: the will of every connection, and the last word of an orderly one.
    func death(at wall: WallTime) -> CloudMessage
    /// Where others send us commands; nil: nowhere.
    var commandTopic: String? { get }
    /// Whether a message asks for births.
    func isRebirthRequest(_ message: CloudMessage) -> Bool
}

extension SparkplugSession: PayloadSession {}
