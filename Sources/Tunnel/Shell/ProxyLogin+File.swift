import Glibc
import Linux

extension ProxyLogin {
    /// Reads the file; throws words for people when it is missing, not private, or not two lines.
    init(path: String) throws(ProxyLoginProblem) {
        var file = stat()
        guard stat(path, &file) == 0 else {
            throw ProxyLoginProblem(
                "cannot read vpn.proxy-login \(path): \(String(cString: strerror(errno)))")
        }
        guard file.st_mode & 0o077 == 0 else {
            throw ProxyLoginProblem(
                "vpn.proxy-login \(path) is not private: make it chmod 0600")
        }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SmallFile.read(path, bytesMax: Limits.fileBytesMax)
        } catch {
            throw ProxyLoginProblem("cannot read vpn.proxy-login \(path): \(error)")
        }
        guard let login = ProxyLogin(file: bytes) else {
            throw ProxyLoginProblem(
                "vpn.proxy-login \(path) is not two lines, user and password, of 1 to "
                    + "\(Limits.textBytesMax) bytes")
        }
        self = login
    }
}

struct ProxyLoginProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
