/// What a record is a value of.
package struct TagName: Hashable, Sendable {
    package var source: String
    package var tag: String

    package init(source: String, tag: String) {
        self.source = source
        self.tag = tag
    }
}

/// Names by small numbers, given in the order in which they appear.
package struct Names: Sendable {
    package private(set) var list: [TagName] = []
    private var numbers: [TagName: UInt32] = [:]
    /// Polls repeat: what came after a name the last time comes after it again.
    private var followers: [UInt32] = []
    private var last = 0

    package init() {}

    package var count: Int { list.count }
    package subscript(_ id: UInt32) -> TagName { list[Int(id)] }

    package mutating func number(source: String, tag: String) -> UInt32 {
        if last < followers.count {
            let guess = Int(followers[last])
            if list[guess].tag == tag, list[guess].source == source {
                last = guess
                return UInt32(guess)
            }
        }
        let id = add(TagName(source: source, tag: tag))
        if last < followers.count { followers[last] = id }
        last = Int(id)
        return id
    }

    @discardableResult
    package mutating func add(_ name: TagName) -> UInt32 {
        if let known = numbers[name] { return known }
        let id = UInt32(list.count)
        list.append(name)
        followers.append(0)
        numbers[name] = id
        return id
    }
}
