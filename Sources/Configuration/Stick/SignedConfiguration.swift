import Base
import Settings

/// A config file for one router, signed by whoever built it: an ordinary config file whose first lines say for which
/// router it is, how new it is, and carry the signature of all other bytes.
///
///     # drawbridge stick 1
///     # serial: 10000000a3b1c2d4
///     # sequence: 1795320000
///     # signature: …                 Ed25519 (RFC 8032), Base64: of the file without this line
///     [device]
///     …
package struct SignedConfiguration: Equatable, Sendable {
    package enum Limits {
        /// A config of some hundred machines has a tenth of it.
        package static let fileBytesMax = 256 << 10
        package static let headerLineBytesMax = 128
        package static let serialCharactersMax = 64
        /// Seconds of the year 2100: one that is larger by mistake would shut out all that come later.
        package static let sequenceMax: UInt64 = 4_102_444_800
        package static let signatureBytes = 64
    }

    /// The router that it is for.
    package var serial: String
    /// The larger, the newer; the second of signing, unless it was given.
    package var sequence: UInt64
    package var signature: [UInt8]
    /// The whole file.
    package var bytes: [UInt8]
    /// What the signature is of.
    package var signedBytes: [UInt8]

    package static let firstLine = "# drawbridge stick 1"
    private static let serialMark = "# serial: "
    private static let sequenceMark = "# sequence: "
    private static let signatureMark = "# signature: "

    /// Reads the first lines of a file; whether the signature is right is another question. `name`: for messages.
    package init(_ bytes: [UInt8], name: String) throws(StickRefusal) {
        guard bytes.count <= Limits.fileBytesMax else {
            throw .tooLarge(name: name, bytes: UInt64(bytes.count))
        }
        var rest = bytes[...]
        func line(_ number: Int, _ mark: String) throws(StickRefusal) -> String {
            let head = rest.prefix(Limits.headerLineBytesMax + 1)
            guard let end = head.firstIndex(of: 10) else {
                throw .header(Position(file: name, line: number, column: 1), "\"\(mark)…\"")
            }
            let text = String(decoding: head[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            guard text.hasPrefix(mark) else {
                throw .header(Position(file: name, line: number, column: 1), "\"\(mark)…\"")
            }
            return String(text.dropFirst(mark.count))
        }
        func bad(_ number: Int, _ mark: String, _ wanted: String) -> StickRefusal {
            .header(Position(file: name, line: number, column: mark.count + 1), wanted)
        }
        guard Self.isSigned(bytes) else { throw .notSigned(name: name) }
        _ = try line(1, Self.firstLine)
        serial = try line(2, Self.serialMark)
        guard Self.isSerial(serial) else {
            throw bad(2, Self.serialMark, "a serial of letters, digits, '.', '_' and '-'")
        }
        let number = try line(3, Self.sequenceMark)
        // As it is written, and in no other way: leading zeros and signs are not.
        guard let sequence = UInt64(number), "\(sequence)" == number,
            sequence <= Limits.sequenceMax
        else { throw bad(3, Self.sequenceMark, "a number up to \(Limits.sequenceMax)") }
        self.sequence = sequence
        let beforeSignature = bytes.count - rest.count
        guard let signature = Base64.decode(try line(4, Self.signatureMark).utf8),
            signature.count == Limits.signatureBytes
        else { throw bad(4, Self.signatureMark, "\(Limits.signatureBytes) bytes in Base64") }
        self.signature = signature
        self.bytes = bytes
        signedBytes = Array(bytes[..<beforeSignature] + rest)
    }

    /// Signs a config; what an earlier signature has put before it is taken away first.
    package init(
        signing config: [UInt8], serial: String, sequence: UInt64, name: String,
        _ sign: ([UInt8]) throws -> [UInt8]
    ) throws {
        let head = [
            Self.firstLine, Self.serialMark + serial, Self.sequenceMark + "\(sequence)", "",
        ]
        let before = Array(head.joined(separator: "\n").utf8)
        let body = Self.body(of: config)
        let line = Self.signatureMark + Base64.encode(try sign(before + body)) + "\n"
        try self.init(before + Array(line.utf8) + body, name: name)
    }

    /// Whether a file claims to be signed.
    package static func isSigned(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: Array((firstLine + "\n").utf8))
    }

    /// A config without what a signature has put before it.
    package static func body(of config: [UInt8]) -> [UInt8] {
        guard isSigned(config) else { return config }
        return Array(
            config.split(separator: 10, maxSplits: 4, omittingEmptySubsequences: false)
                .dropFirst(4).joined(separator: [10]))
    }

    /// Whether a text can be a router's serial.
    package static func isSerial(_ text: String) -> Bool {
        (1...Limits.serialCharactersMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// What the file is called on the stick.
    package static func fileName(serial: String) -> String { "drawbridge-\(serial).toml" }

    /// The first digits of its SHA-256.
    package var digest: String { String(SHA256.hex(bytes).prefix(16)) }
}
