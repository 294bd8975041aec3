import Base
import Glibc
package import Linux

/// The files that a stick's config is judged by, and the one that it is handed over in.
package enum StickFiles {
    package enum Limits {
        package static let keysMax = 8
        package static let keyFileBytesMax = 16 << 10
    }

    /// The owner's public keys; whoever else could write the file could put in a key of theirs.
    package static func keys(_ path: String) throws(StickRefusal) -> [Ed25519PublicKey] {
        var about = stat()
        guard stat(path, &about) == 0 else {
            throw .unusable("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        guard about.st_mode & 0o022 == 0, about.st_uid == 0 || about.st_uid == geteuid() else {
            throw .unusable(
                "\(path) can be written by others than root: chown root: and chmod 0644 it")
        }
        do {
            let bytes = try SmallFile.read(path, bytesMax: Limits.keyFileBytesMax)
            return try Ed25519PublicKey.all(inPEM: bytes, most: Limits.keysMax)
        } catch let error as KeyProblem {
            throw .unusable("\(path): \(error)")
        } catch {
            throw .unusable("\(error)")
        }
    }

    /// The fingerprint of the key that has signed a file.
    package static func signer(
        _ file: SignedConfiguration, of keys: [Ed25519PublicKey]
    ) -> String? {
        keys.first { $0.hasSigned(file.signedBytes, file.signature) }?.fingerprint
    }

    /// What was put in force last; nil: nothing. A file that cannot be understood shuts out all sticks.
    package static func record(_ path: String) throws(StickRefusal) -> StickRecord? {
        let text: String
        do throws(SystemError) {
            text = try SmallFile.readText(path, bytesMax: StickRecord.fileBytesMax)
        } catch  where error.code == ENOENT {
            return nil
        } catch {
            throw .unusable("\(error)")
        }
        guard let record = StickRecord(text) else {
            throw .unusable(
                "\(path) is damaged, so nobody knows which config was the last one: remove it on the "
                    + "router to allow any again")
        }
        return record
    }

    /// What the reader has left, which is taken away. It has met a stranger's bytes: no link of its is followed, no pipe
    /// waited for.
    package static func bundle(_ path: String) throws(StickRefusal) -> StickBundle {
        let bytes: [UInt8]
        defer { unlink(path) }
        do throws(SystemError) {
            bytes = try regularFile(path, bytesMax: StickBundle.Limits.bytesMax * 2)
        } catch  where error.code == ENOENT {
            throw .cutOff
        } catch {
            throw .unusable("\(error)")
        }
        guard let bundle = StickBundle(bytes) else { throw .cutOff }
        return bundle
    }

    /// Takes away what the reader has left, if it is still there.
    package static func remove(_ path: String) { unlink(path) }

    private static func regularFile(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        let file = try FileDescriptor(open: path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        var about = stat()
        guard fstat(file.raw, &about) == 0, about.st_mode & S_IFMT == S_IFREG else {
            throw SystemError("read \(path)", code: EINVAL)
        }
        var bytes: [UInt8] = []
        while bytes.count <= bytesMax {
            let chunk = try file.read(atMost: 65536)
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return bytes
    }
}

/// Where this router's serial stands.
extension DeviceSerial {
    package static let deviceTree = "/sys/firmware/devicetree/base/serial-number"
    package static let firmware = [
        "/sys/class/dmi/id/product_serial", "/sys/class/dmi/id/board_serial",
    ]
    package static let machineID = "/etc/machine-id"

    /// Asks this machine. What only root may read is not passed over: another serial would come of it.
    package static func ofThisMachine() throws(StickRefusal) -> DeviceSerial {
        var firmware: [[UInt8]] = []
        for path in Self.firmware {
            if let bytes = try read(path) { firmware.append(bytes) }
        }
        let places = Places(
            deviceTree: try read(Self.deviceTree), firmware: firmware,
            machineID: try read(Self.machineID))
        guard let serial = DeviceSerial(places) else {
            throw .unusable("this machine has no serial, and no \(Self.machineID) either")
        }
        return serial
    }

    private static func read(_ path: String) throws(StickRefusal) -> [UInt8]? {
        do throws(SystemError) {
            return try SmallFile.read(path, bytesMax: 4096)
        } catch {
            switch error.code {
            case ENOENT, ENOTDIR, ENODEV: return nil
            case EACCES: throw .unusable("\(error): run this as root")
            default: throw .unusable("\(error)")
            }
        }
    }
}

/// A stick as an open file. The corresponding C function is `pread`.
package struct OpenStick: FATDevice {
    private let descriptor: Int32

    /// `descriptor`: open for as long as this is used.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    package func read(at offset: UInt64, count: Int) throws(FATTrouble) -> [UInt8] {
        guard let offset = Int(exactly: offset) else {
            throw .device("it ends before its file system does")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let (start, left) = (done, count - done)
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress.map { $0 + start }, left, offset + start)
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw .device("its reading fails: \(String(cString: strerror(errno)))")
            }
            guard got > 0 else { throw .device("it ends before its file system does") }
            done += got
        }
        return bytes
    }
}
