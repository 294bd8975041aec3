import Base
import Console
import Machines
import Recorder

// The machines and what is kept of them.
extension StatusReport {
    func recorderSection(_ status: RecorderStatus) -> StatusDocument.Recorder {
        var section = StatusDocument.Recorder()
        section.state = status.state
        section.isRecording = status.isRecording
        section.acceptedRecords = status.accepted
        section.durableRecords =
            status.accepted
            - min(
                status.accepted,
                status.lastSequence - min(status.lastSequence, status.durableThrough))
        section.bytes = status.bytesUsed.bytes
        section.quotaBytes = status.quota.bytes
        section.firstSequence = status.firstSequence
        section.lastSequence = status.lastSequence
        section.unsentRecords = status.unsent
        section.lostRecords = status.lost
        section.damagedFrames = status.damagedFrames
        section.cursors =
            status.cursors.isEmpty
            ? nil
            : status.cursors.map {
                .init(
                    name: $0.name,
                    unreadRecords: status.lastSequence - min($0.sequence, status.lastSequence),
                    lostRecords: $0.lost)
            }
        section.oldestMilliseconds = status.oldest?.milliseconds
        section.newestMilliseconds = status.newest?.milliseconds
        section.roomSeconds = RecorderForecast.roomSeconds(
            bytes: section.bytes, quota: section.quotaBytes,
            oldestMilliseconds: section.oldestMilliseconds,
            newestMilliseconds: section.newestMilliseconds)
        return section
    }

    func machine(_ status: MachineStatus) -> StatusDocument.Machine {
        var section = StatusDocument.Machine(name: status.name)
        section.isConnected = status.isConnected
        section.polls = status.polls
        section.errors = status.errors
        section.address = status.address
        section.lastAnswerMilliseconds = status.lastAnswer?.wall.milliseconds
        section.missedReadings = status.missed
        section.unrecordedReadings = status.unrecorded
        section.valuesPerMinute = status.valuesPerMinute
        section.reason = status.reason ?? (status.isConnected ? "answers" : "not asked yet")
        return section
    }
}
