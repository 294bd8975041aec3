import Settings

extension SparkplugSession.Device {
    /// What a configured machine will say, for its birth certificate.
    init(_ machine: Settings.Machine) {
        self.init(
            name: machine.name,
            tags: machine.tags.map { tag in
                SparkplugSession.Tag(name: tag.name, type: Self.type(of: tag))
            })
    }

    /// As the Machines room reads them: a scale makes a double of every number.
    private static func type(of tag: Settings.Tag) -> SparkplugPayload.DataType {
        switch tag.type {
        case .bool: .boolean
        case .string: .string
        case .float32: .double
        case .int16, .uint16, .int32, .uint32: tag.scale == nil ? .int64 : .double
        }
    }
}
