/// How a value is compared with a number, as the config file writes it.
package enum Comparison: String, CaseIterable, Sendable {
    case equal = "=="
    case unequal = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
}
