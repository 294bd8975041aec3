import Glibc

/// The first two numbers of a kernel's version: what its interfaces can do goes by them.
package struct KernelRelease: Comparable, Sendable {
    private let major: Int
    private let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// "6.12.9-amd64" → 6.12; what is no version is older than all.
    package init(_ release: String) {
        let numbers = release.split(separator: ".", maxSplits: 2).prefix(2)
            .map { Int($0.prefix { $0.isASCII && $0.isNumber }) ?? 0 }
        self.init(numbers.first ?? 0, numbers.count > 1 ? numbers[1] : 0)
    }

    package static let running: KernelRelease = {
        var names = utsname()
        guard uname(&names) == 0 else { return KernelRelease(0, 0) }
        return withUnsafeBytes(of: &names.release) {
            KernelRelease(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self))
        }
    }()

    package static func < (a: KernelRelease, b: KernelRelease) -> Bool {
        (a.major, a.minor) < (b.major, b.minor)
    }
}
