import Base

/// The bounds of Modbus and of this room.
package enum Limits {
    /// Registers of one read (Modbus application protocol 1.1b3, §6.3).
    package static let readRegistersMax = 125
    /// Coils or discrete inputs of one read (§6.1).
    package static let readBitsMax = 2000
    /// Registers that nobody asked for, read along because one read is cheaper than two.
    package static let gapRegistersMax = 16
    /// The same for coils and discrete inputs.
    package static let gapBitsMax = 256
    /// Time between attempts to reach a machine.
    package static let backoffMin = Duration.milliseconds(500)
    package static let backoffMax = Duration.seconds(30)
    /// Bytes of a line that a program pushes: the longest text, with every character of it escaped, and names.
    package static let pushedLineBytesMax = 2 * Reading.valueBytesMax + 4096
    /// Values of one.
    package static let pushedValuesMax = 256
    /// Bytes of a source's or a tag's name in it.
    package static let pushedNameBytesMax = 128
    /// Bytes that are read from a program at once; their lines are answered before more is read.
    package static let pushedChunkBytes = 64 * 1024
    /// Programs at a time.
    package static let pushConnectionsMax = 16
    /// How long a program may not take its answers.
    package static let pushPatience = Duration.seconds(10)
    /// The same of one host of the machine network.
    package static let pushConnectionsOfHostMax = 4
    /// Bytes of a client's first line.
    package static let pushAnswerBytesMax = 256
    /// How long it may take.
    package static let pushAnswerPatience = Duration.seconds(5)
    /// Wrong answers of a host within `pushTriesPeriod`; then it waits for that long.
    package static let pushTriesMax = 5
    package static let pushTriesPeriod = Duration.seconds(60)
    /// Hosts whose wrong answers are remembered.
    package static let pushHostsMax = 64
    /// Bytes of a client's token, and different ones among them: what is typed by hand is not random.
    package static let pushTokenBytesMin = 32
    package static let pushTokenBytesMax = 256
    package static let pushTokenLettersMin = 10
    /// Until the next attempt to listen.
    package static let pushListenPause = Duration.seconds(5)
    /// Bytes of a broker's message.
    package static let subscribedBytesMax = 64 * 1024
    /// Messages of a broker that may wait to be read.
    package static let subscribedWaitingMax = 1024
    /// Values that are taken of a broker in a second, and at once after a quiet time.
    package static let subscribedRateMax = 200
    package static let subscribedBurstMax = 1000
    /// A session of this length was none that failed at once.
    package static let brokerStableAfter = Duration.seconds(10)
    /// Bytes of a broker's password.
    package static let brokerPasswordBytesMax = 256
    /// How often a machine without tags is looked at.
    package static let idle = Duration.seconds(60)
}
