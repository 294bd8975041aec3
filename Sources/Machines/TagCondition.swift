package import Base

/// A trigger: what must hold of another tag of the machine, so that a tag is recorded.
package struct TagCondition: Equatable, Sendable {
    /// Place of the tag that is looked at.
    package var tag: Int
    package var comparison: Comparison
    package var number: Double

    package init(tag: Int, comparison: Comparison, number: Double) {
        self.tag = tag
        self.comparison = comparison
        self.number = number
    }

    /// Of a text nothing holds, nor of NaN, except that they are unequal to the number.
    package func holds(of value: TagValue) -> Bool {
        guard let actual = value.number else { return comparison == .unequal }
        return switch comparison {
        case .equal: actual == number
        case .unequal: actual != number
        case .lessOrEqual: actual <= number
        case .greaterOrEqual: actual >= number
        case .less: actual < number
        case .greater: actual > number
        }
    }
}
