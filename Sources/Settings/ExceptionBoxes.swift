package import Base

/// Which of many exceptions overlap.
///
/// An exception is a box: ranges of sources, destinations, protocol and ports. The kernel's sets of ranges hold
/// no two boxes that overlap, so those that do go into different layers.
package struct ExceptionBoxes: Sendable {
    /// Sets of one kind at most, each costing every new connection one look-up.
    package static let layersMax = 4

    private struct Box: Sendable {
        var kind: String
        var ranges: [ClosedRange<UInt32>]
        var until: WallTime?
        var when: WeeklyHours?

        /// Whether it is open whenever the other one is.
        func lasts(as long: Box) -> Bool {
            (when == nil || when == long.when)
                && (until.map { mine in long.until.map { $0 <= mine } ?? false } ?? true)
        }

        func overlaps(_ other: Box) -> Bool {
            kind == other.kind && zip(ranges, other.ranges).allSatisfy { $0.overlaps($1) }
        }

        func contains(_ other: Box) -> Bool {
            kind == other.kind
                && zip(ranges, other.ranges).allSatisfy {
                    $0.lowerBound <= $1.lowerBound && $1.upperBound <= $0.upperBound
                }
        }
    }

    /// For each exception, the earlier ones that it overlaps.
    private let boxes: [Box]
    private let neighbours: [[Int]]

    package init(_ allowed: [Settings.Firewall.Allow]) {
        let boxes = allowed.map { allow in
            Box(
                kind: "\(allow.from) \(allow.to) \(allow.mac?.description ?? "")",
                ranges: [
                    (allow.source ?? .everything).range, (allow.destination ?? .everything).range,
                    UInt32(allow.service.protocolNumber)...UInt32(allow.service.protocolNumber),
                    UInt32(allow.service.ports.lowerBound)...UInt32(allow.service.ports.upperBound),
                ], until: allow.until, when: allow.when)
        }
        // Along the dimension that tells most of them apart, only those whose ranges meet are compared.
        let dimension =
            (0..<4).max { one, other in
                Set(boxes.map { $0.ranges[one].lowerBound }).count
                    < Set(boxes.map { $0.ranges[other].lowerBound }).count
            } ?? 0
        var found = [[Int]](repeating: [], count: boxes.count)
        let order = boxes.indices.sorted {
            boxes[$0].ranges[dimension].lowerBound < boxes[$1].ranges[dimension].lowerBound
        }
        var active: [Int] = []
        for index in order {
            let box = boxes[index]
            active.removeAll {
                boxes[$0].ranges[dimension].upperBound < box.ranges[dimension].lowerBound
            }
            for other in active where boxes[other].overlaps(box) {
                found[max(index, other)].append(min(index, other))
            }
            active.append(index)
        }
        self.boxes = boxes
        neighbours = found.map { $0.sorted() }
    }

    /// The first exception that allows all that this one does, an earlier or a later one.
    ///
    /// Of two equal ones the later is the covered one.
    package func covering() -> [Int: Int] {
        var covered: [Int: Int] = [:]
        for (index, others) in neighbours.enumerated() {
            for other in others {
                if covers(other, index) {
                    covered[index] = covered[index] ?? other
                } else if covers(index, other) {
                    covered[other] = covered[other] ?? index
                }
            }
        }
        return covered
    }

    /// Equal ones cover each other whenever they are open: the kernel's sets hold the same box once.
    private func covers(_ one: Int, _ other: Int) -> Bool {
        boxes[one].contains(boxes[other])
            && (boxes[one].lasts(as: boxes[other]) || boxes[other].contains(boxes[one]))
    }

    /// A layer for each, from 0, so that no two of a layer overlap.
    package func layers() -> [Int] {
        var layers = [Int](repeating: 0, count: boxes.count)
        for (index, others) in neighbours.enumerated() {
            let taken = Set(others.map { layers[$0] })
            layers[index] = (0...taken.count).first { !taken.contains($0) } ?? taken.count
        }
        return layers
    }
}

extension CIDR {
    /// 0.0.0.0/0
    package static var everything: CIDR {
        guard let all = CIDR("0.0.0.0/0") else { preconditionFailure("it is well formed") }
        return all
    }

    /// Its first and last address.
    package var range: ClosedRange<UInt32> {
        let size: UInt64 = 1 << UInt64(32 - prefixLength)
        return network.value...UInt32(UInt64(network.value) + size - 1)
    }
}
