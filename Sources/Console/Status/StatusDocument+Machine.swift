extension StatusDocument {
    /// A machine, a broker or the router itself as a source.
    package struct Machine: Codable, Equatable, Sendable {
        package var name: String
        package var isConnected = false
        package var polls: UInt64 = 0
        package var errors: UInt64 = 0
        package var reason = ""
        package var address = ""
        /// When it answered last, by the wall clock; null: never since the daemon started.
        package var lastAnswerMilliseconds: Int64?
        /// Readings that were due while the machine, or we, could not.
        package var missedReadings: UInt64 = 0
        /// Readings that the recorder did not take.
        package var unrecordedReadings: UInt64 = 0
        /// Of a broker; null: it is polled.
        package var valuesPerMinute: Int?

        package init(name: String) { self.name = name }
    }
}
