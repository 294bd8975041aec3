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

    /// As the Machines room reads them: a scale, an average and a duration make a double of every number.
    private static func type(of tag: Settings.Tag) -> SparkplugPayload.DataType {
        switch tag.log.keep {
        case .average, .duration: return .double
        case .increase where tag.type == .bool: return .double
        case .all, .minimum, .maximum, .first, .last, .increase: break
        }
        return switch tag.type {
        case .bool: .boolean
        case .string: .string
        case .float32, .float64: .double
        case .int16, .uint16, .int32, .uint32, .int64, .uint64: tag.scale == nil ? .int64 : .double
        }
    }
}
