/// What could not be done with the line, without the words: those are made when there is time.
package struct LineFailure: Error, Equatable, Sendable {
    package enum Step: Equatable, Sendable {
        case openChip, findLine, requestLine, waitForEdge, readLevel, setLevel
    }
    package var step: Step
    /// The errno value.
    package var code: Int32
    /// Who holds the line, as far as the kernel says, when it is busy.
    package var holder: String?
    /// The second line of a key with three positions is meant.
    package var isRemoteLine = false

    package var ofRemoteLine: LineFailure {
        var failure = self
        failure.isRemoteLine = true
        return failure
    }

    package init(_ step: Step, code: Int32, holder: String? = nil) {
        self.step = step
        self.code = code
        self.holder = holder
    }
}
