/// The root folder of a FAT file system (FAT12, FAT16, FAT32), read and never written.
///
/// In place of the kernel's: a stick is whatever a stranger has made of it, and here a lie of it costs a message.
package struct FATVolume<Device: FATDevice> {
    private let device: Device
    private let geometry: FATGeometry

    package enum Limits {
        /// Most bytes of the root folder: 32,768 entries.
        package static var folderBytesMax: Int { 1 << 20 }
    }

    package init(_ device: Device) throws(FATTrouble) {
        self.device = device
        geometry = try FATGeometry(
            bootSector: try device.read(at: 0, count: FATGeometry.bootSectorBytes))
    }

    /// The files of the root folder.
    package func rootFiles() throws(FATTrouble) -> [FATDirectory.File] {
        switch geometry.root {
        case .place(let offset, let bytes):
            return FATDirectory.files(in: try device.read(at: offset, count: bytes))
        case .chain(let first):
            // As far as it goes, or up to the limit: what lies behind it is nobody's.
            let most = Limits.folderBytesMax / geometry.clusterBytes + 1
            var folder: [UInt8] = []
            for cluster in try chain(from: first, clustersMax: most) {
                folder += try content(of: cluster)
            }
            return FATDirectory.files(in: folder)
        }
    }

    /// What is in a file, which the caller knows to be small.
    package func content(of file: FATDirectory.File) throws(FATTrouble) -> [UInt8] {
        guard file.bytes > 0 else { return [] }
        let needed = (Int(file.bytes) + geometry.clusterBytes - 1) / geometry.clusterBytes
        let clusters = try chain(from: file.firstCluster, clustersMax: needed)
        guard clusters.count == needed else {
            throw .damaged("a file ends before its length")
        }
        var bytes: [UInt8] = []
        for cluster in clusters { bytes += try content(of: cluster) }
        return Array(bytes.prefix(Int(file.bytes)))
    }

    /// The clusters of a chain, at most so many of them.
    private func chain(
        from first: UInt32, clustersMax: Int
    ) throws(FATTrouble) -> [UInt32] {
        var chain: [UInt32] = []
        var next = first
        while chain.count < clustersMax {
            guard next >= 2, next - 2 < geometry.clusters else {
                throw .damaged("a chain leads nowhere")
            }
            chain.append(next)
            guard let following = try follower(of: next) else { return chain }
            next = following
        }
        return chain
    }

    /// What the table says of a cluster: the next one; nil: it is the last one.
    private func follower(of cluster: UInt32) throws(FATTrouble) -> UInt32? {
        func entry(_ offset: UInt64, _ bytes: Int) throws(FATTrouble) -> UInt32 {
            try device.read(at: geometry.tableOffset + offset, count: bytes).reversed()
                .reduce(0) { $0 << 8 | UInt32($1) }
        }
        switch geometry.width {
        case .twelve:
            let pair = try entry(UInt64(cluster) * 3 / 2, 2)
            let value = cluster.isMultiple(of: 2) ? pair & 0xfff : pair >> 4
            return value >= 0xff8 ? nil : value
        case .sixteen:
            let value = try entry(UInt64(cluster) * 2, 2)
            return value >= 0xfff8 ? nil : value
        case .thirtyTwo:
            let value = try entry(UInt64(cluster) * 4, 4) & 0x0fff_ffff
            return value >= 0x0fff_fff8 ? nil : value
        }
    }

    private func content(of cluster: UInt32) throws(FATTrouble) -> [UInt8] {
        try device.read(
            at: geometry.dataOffset + UInt64(cluster - 2) * UInt64(geometry.clusterBytes),
            count: geometry.clusterBytes)
    }
}
