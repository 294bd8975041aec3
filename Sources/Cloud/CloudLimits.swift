extension CloudService {
    package struct Limits: Sendable {
        package var delivery = Delivery.Limits()
        /// So soon after a message with live data there is no other one: what comes meanwhile goes together.
        package var linger = Duration.milliseconds(20)
        /// A session that lasted this long was a success: the next failure waits briefly.
        package var stableAfter = Duration.seconds(10)
        package var backoffShortest = Duration.seconds(1)
        package var backoffLongest = Duration.seconds(60)
        /// After a session was lost, the next attempt comes within this time, at random.
        package var backoffSpread = Duration.seconds(10)
        package var pace = BacklogPace.Limits()
        /// The backlog's bytes a second until an uplink says otherwise.
        package var backlogBudget = 1_000_000
        /// Fewest records of the backlog in one message, however small the budget.
        package var backlogRecordsMin = 20
        /// Attempts whose thread still waits for the resolver; another one waits for one of them.
        package var abandonedMax = 4

        package init() {}
    }
}
