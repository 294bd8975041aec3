/// Where what lies in a FAT file system, as its first sector says (Microsoft, "FAT: General Overview of On-Disk
/// Format", 1.03). Nothing in it is believed before it was checked.
package struct FATGeometry: Equatable, Sendable {
    package enum Width: Equatable, Sendable { case twelve, sixteen, thirtyTwo }

    package enum Root: Equatable, Sendable {
        /// FAT12 and FAT16: a place of its own.
        case place(UInt64, bytes: Int)
        /// FAT32: a chain of clusters.
        case chain(UInt32)
    }

    package var width: Width
    package var clusterBytes: Int
    /// Where the first table begins, in bytes.
    package var tableOffset: UInt64
    /// Where cluster 2 begins, in bytes.
    package var dataOffset: UInt64
    /// Clusters are numbered from 2 to one more than this.
    package var clusters: UInt32
    package var root: Root

    package static let bootSectorBytes = 512

    package init(bootSector: [UInt8]) throws(FATTrouble) {
        guard bootSector.count == Self.bootSectorBytes else {
            throw .otherFormat("it has no file system")
        }
        func number(_ place: Int, _ bytes: Int) -> UInt64 {
            bootSector[place..<place + bytes].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let name = String(decoding: bootSector[3..<11], as: UTF8.self)
        guard !name.hasPrefix("EXFAT") else { throw .otherFormat("it is formatted as exFAT") }
        guard !name.hasPrefix("NTFS") else { throw .otherFormat("it is formatted as NTFS") }
        guard number(510, 2) == 0xaa55, bootSector[0] == 0xeb || bootSector[0] == 0xe9 else {
            throw .otherFormat("it has no FAT file system")
        }
        let (sector, perCluster) = (number(11, 2), number(13, 1))
        guard [512, 1024, 2048, 4096].contains(sector), perCluster > 0,
            perCluster & (perCluster - 1) == 0
        else { throw .otherFormat("it has no FAT file system") }
        let (reserved, tables, rootEntries) = (number(14, 2), number(16, 1), number(17, 2))
        let total = number(19, 2) != 0 ? number(19, 2) : number(32, 4)
        let tableSectors = number(22, 2) != 0 ? number(22, 2) : number(36, 4)
        let rootSectors = (rootEntries * 32 + sector - 1) / sector
        // None of these can overflow: each is at most the product of two numbers of 32 bits.
        let dataSector = reserved + tables * tableSectors + rootSectors
        guard reserved > 0, (1...4).contains(tables), tableSectors > 0, total > dataSector else {
            throw .damaged("its first sector does not add up")
        }
        let count = (total - dataSector) / perCluster
        // By the number of clusters, says the specification; but small FAT32 ones are made, and Linux reads them, too.
        width = number(22, 2) == 0 ? .thirtyTwo : count < 4085 ? .twelve : .sixteen
        let bits: UInt64 =
            switch width {
            case .twelve: 12
            case .sixteen: 16
            case .thirtyTwo: 32
            }
        guard count > 0, count < 0x0fff_fff5, (count + 2) * bits <= tableSectors * sector * 8 else {
            throw .damaged("its table is too small for it")
        }
        clusters = UInt32(count)
        clusterBytes = Int(perCluster * sector)
        tableOffset = reserved * sector
        dataOffset = dataSector * sector
        let rootOffset = (reserved + tables * tableSectors) * sector
        switch width {
        case .twelve, .sixteen: root = .place(rootOffset, bytes: Int(rootEntries) * 32)
        case .thirtyTwo: root = .chain(UInt32(number(44, 4)))
        }
    }
}
