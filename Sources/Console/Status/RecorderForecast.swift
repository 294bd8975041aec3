/// How long the ring has room for, at the rate at which it has filled so far.
package enum RecorderForecast {
    /// Below this age the rate says nothing.
    static let ageSecondsMin = 60.0
    /// A longer time is told as this one: ten years.
    static let roomSecondsMax = 3650.0 * 86_400

    /// Seconds until `quota` bytes are used; 0: the oldest records make room already. Nil while it cannot be told.
    package static func roomSeconds(
        bytes: Int64, quota: Int64, oldestMilliseconds: Int64?, newestMilliseconds: Int64?
    ) -> Int? {
        guard let oldestMilliseconds, let newestMilliseconds, bytes > 0 else { return nil }
        let age = Double(newestMilliseconds - oldestMilliseconds) / 1000
        guard age >= ageSecondsMin, quota > 0 else { return nil }
        // The ring is kept within its quota by whole segments, so "full" is a little less than that.
        guard Double(bytes) < Double(quota) * 0.95 else { return 0 }
        let seconds = Double(quota - bytes) / (Double(bytes) / age)
        return Int(min(seconds, roomSecondsMax))
    }

    /// `room for 12 more days`; nil while it cannot be told.
    package static func words(_ recorder: StatusDocument.Recorder) -> String? {
        guard let seconds = recorder.roomSeconds else { return nil }
        let plural = { (count: Int, unit: String) in
            "room for \(Figure.count(count)) more \(unit)\(count == 1 ? "" : "s")"
        }
        switch seconds {
        case ...0: return "full: new records replace the oldest"
        case ..<7200: return plural(max(1, seconds / 60), "minute")
        case ..<172_800: return plural(seconds / 3600, "hour")
        case Int(roomSecondsMax)...: return "room for years"
        default: return plural(seconds / 86_400, "day")
        }
    }
}
