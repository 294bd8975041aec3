import Base

/// What this router is called where it was built: the name that a signed config is bound to.
///
/// It need not be secret, but be its own: two routers with one serial would take each other's config.
package struct DeviceSerial: Equatable, Sendable {
    package var text: String
    /// Where it comes from, in words.
    package var origin: String

    /// What the places say that are asked in turn; nil: there is none.
    package struct Places: Sendable {
        /// `serial-number` of the device tree, as on a Raspberry Pi.
        package var deviceTree: [UInt8]?
        /// DMI's serials of product and board, as on a PC.
        package var firmware: [[UInt8]]
        /// `/etc/machine-id`, machine-id(5).
        package var machineID: [UInt8]?

        package init(deviceTree: [UInt8]?, firmware: [[UInt8]], machineID: [UInt8]?) {
            self.deviceTree = deviceTree
            self.firmware = firmware
            self.machineID = machineID
        }
    }

    /// The first place that says something of its own; nil: none does.
    package init?(_ places: Places) {
        let named =
            (places.deviceTree.map { [($0, "device tree")] } ?? [])
            + places.firmware.map { ($0, "firmware (DMI)") }
        for (bytes, place) in named {
            guard let said = Self.said(bytes) else { continue }
            if SignedConfiguration.isSerial(said) {
                self.init(text: said, origin: place)
            } else {
                let hash = SHA256.hex(Array(said.utf8)).prefix(Self.hashDigits)
                self.init(text: "h-\(hash)", origin: "\(place), hashed: it has other characters")
            }
            return
        }
        guard let id = places.machineID.flatMap(Self.said) else { return nil }
        // The id itself is not for others to know.
        let hash = SHA256.hex(Array("drawbridge serial \(id)".utf8)).prefix(Self.hashDigits)
        self.init(text: "m-\(hash)", origin: "/etc/machine-id, hashed: this hardware has no serial")
    }

    private init(text: String, origin: String) {
        self.text = text
        self.origin = origin
    }

    private static let hashDigits = 20
    private static let charactersMin = 4
    private static let bytesMax = 256

    /// What makers of boards leave there when they give no serial: letters and digits, in lower case. What consists of
    /// one character only, as all zeros do, is none either.
    private static let placeholders: Set<String> = [
        "tobefilledbyoem", "filledbyoem", "fillbyoem", "oem", "default", "defaultstring",
        "serial", "serialnumber", "sernum", "sernum0", "sernum1", "systemserialnumber",
        "sysserialnumber", "productserialnumber", "boardserialnumber", "baseboardserialnumber",
        "mbserialnumber", "chassisserialnumber", "notavailable", "notspecified", "notapplicable",
        "notpresent", "notsettable", "notset", "notdefined", "nosn", "noserial", "noserialnumber",
        "na", "none", "null", "unknown", "undefined", "unspecified", "invalid", "empty", "blank",
        "reserved", "tbd", "0123456789", "123456789", "1234567890", "12345678",
        "0123456789abcdef", "123456789abcdef",
    ]

    /// The text without what surrounds it; nil when it says nothing.
    private static func said(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes.prefix(bytesMax).prefix { $0 != 0 }, as: UTF8.self)
        let trimmed = String(
            text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        let bare = trimmed.lowercased().filter { $0.isLetter || $0.isNumber }
        guard trimmed.count >= charactersMin, Set(bare).count > 1, !placeholders.contains(bare)
        else { return nil }
        return trimmed
    }
}
