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
    /// How often a machine without tags is looked at.
    package static let idle = Duration.seconds(60)
}
