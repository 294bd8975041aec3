package import Base
package import Linux

/// Records to be looked at: of a store, or of blocks that were taken out of one.
package protocol RecordReading {
    var lastSequence: UInt64 { get }

    /// The records after a sequence, in order, at most `limit`; with a filter, blocks that cannot hold what it asks for are
    /// passed over.
    mutating func batch(after sequence: UInt64, limit: Int, filter: RecordFilter?)
        throws(SystemError) -> [Record]

    /// Reads every block and checks it against its sums; `progress` hears the share that is done, and ends it with
    /// false.
    func verify(_ progress: (Double) -> Bool) throws(SystemError) -> LogReader.Verdict
}

extension LogReader: RecordReading {}
