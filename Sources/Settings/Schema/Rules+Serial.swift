import Base

/// What must hold of serial lines.
extension Rules {
    mutating func check(_ line: Settings.SerialLine, of machine: Settings.Machine, _ index: Int) {
        let key = "machine[\(index)]"
        if report.isSound("\(key).serial.baud"), !Settings.SerialLine.rates.contains(line.baud) {
            let rates = Settings.SerialLine.rates.map { "\($0)" }.joined(separator: ", ")
            complain("\(key).serial.baud", "\(line.baud) is no usual rate; write one of \(rates)")
        }
        if report.isSound("\(key).unit"), !(1...247).contains(machine.unit) {
            complain("\(key).unit", "\(machine.unit) is no unit of a serial line; write 1 to 247")
        }
        for (number, other) in settings.machines.enumerated().prefix(index) {
            guard let shared = other.serial, shared.device == line.device,
                report.isSound("\(key).serial", "machine[\(number)].serial")
            else { continue }
            let first = reference(to: "machine[\(number)].serial.device")
            if shared != line {
                complain("\(key).serial", "\(line.device) is set otherwise by \(first)")
            } else if other.unit == machine.unit {
                complain(
                    "\(key).unit", "unit \(machine.unit) on \(line.device) is taken by \(first)")
            }
        }
    }
}
