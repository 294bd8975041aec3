/// What each uplink was like lately: samples at equal distances, the oldest ones forgotten.
package struct StatusHistory: Equatable, Sendable {
    /// Seconds from one sample to the next.
    package static let intervalSeconds = 5
    /// Half an hour.
    package static let samplesMax = 360

    private var uplinks: [String: StatusDocument.Uplink.History] = [:]

    package init() {}

    /// Takes a sample; an uplink that is no longer configured is forgotten.
    package mutating func take(_ document: StatusDocument) {
        var kept: [String: StatusDocument.Uplink.History] = [:]
        for uplink in document.uplinks {
            var history =
                uplinks[uplink.name] ?? .init(intervalSeconds: Self.intervalSeconds)
            history.rttMilliseconds.append(
                uplink.isUp ? uplink.rttMilliseconds.map(Self.tenth) : nil)
            history.lossPercent.append(
                uplink.isUp ? Self.tenth(uplink.lossPercent ?? 0) : 100)
            history.isCarrying.append(uplink.isUp && uplink.isCarrying)
            if history.lossPercent.count > Self.samplesMax {
                history.rttMilliseconds.removeFirst()
                history.lossPercent.removeFirst()
                history.isCarrying.removeFirst()
            }
            kept[uplink.name] = history
        }
        uplinks = kept
    }

    /// Puts the samples into a document.
    package func complete(_ document: inout StatusDocument) {
        for index in document.uplinks.indices {
            document.uplinks[index].history = uplinks[document.uplinks[index].name]
        }
    }

    /// Finer than this nobody sees it, and the document stays short.
    private static func tenth(_ value: Double) -> Double {
        value.isFinite ? (value * 10).rounded() / 10 : 0
    }
}
