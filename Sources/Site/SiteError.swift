/// Why the site could not do what was asked: what, on what, why, and what to do where a user can act.
package struct SiteError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
