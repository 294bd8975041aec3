/// Takes from a stick what may be meant for a router: the root folder's files `drawbridge-….toml`.
///
/// It does not know which router it serves: that is decided by whoever gets them.
package enum StickReader {
    /// Reads a stick; what is wrong with it is in the bundle.
    package static func bundle(of device: some FATDevice) -> StickBundle {
        var bundle = StickBundle()
        do throws(FATTrouble) {
            let volume = try FATVolume(device)
            for file in try volume.rootFiles() where isMeant(file.name) {
                guard file.bytes <= UInt32(SignedConfiguration.Limits.fileBytesMax) else {
                    bundle.add(.init(name: file.name, tooLarge: UInt64(file.bytes)))
                    continue
                }
                bundle.add(.init(name: file.name, bytes: try volume.content(of: file)))
                if bundle.trouble != nil { break }
            }
        } catch {
            bundle.trouble = "\(error)"
            if case .otherFormat = error { bundle.isForeign = true }
        }
        return bundle
    }

    /// Systems that know FAT do not keep capitals and small letters apart.
    static func isMeant(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("drawbridge-") && name.hasSuffix(".toml")
    }
}
