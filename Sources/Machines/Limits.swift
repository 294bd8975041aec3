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
    /// How often a machine without tags is looked at.
    package static let idle = Duration.seconds(60)
}
