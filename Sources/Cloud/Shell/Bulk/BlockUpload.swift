package import Base
import Linux
package import Settings

/// A block as one PUT over HTTPS: the router's certificate says whose it is, its name which one.
package struct BlockUpload: BlockCarrier {
    package typealias Resolve = @Sendable (DomainName) async throws -> [IPv4Address]

    package enum Limits {
        package static let connect = Duration.seconds(10)
        /// Of an exchange, beside the time that the budget gives its bytes, twice.
        package static let answer = Duration.seconds(60)
        package static let replyBytesMax = 64 * 1024
    }

    private let folder: Settings.HTTPSFolder
    private let identity: Settings.Identity
    /// Opens the address in the firewall before it tells it.
    private let resolve: Resolve

    package init(
        folder: Settings.HTTPSFolder, identity: Settings.Identity, resolve: @escaping Resolve
    ) {
        self.folder = folder
        self.identity = identity
        self.resolve = resolve
    }

    package func send(_ block: StoredBlock, budget: Int) async -> BulkReply {
        let host = folder.endpoint.host
        let addresses: [IPv4Address]
        do { addresses = try await resolve(host) } catch {
            return .failed("cannot be looked up: \(error)", after: nil)
        }
        guard !addresses.isEmpty else { return .failed("has no address", after: nil) }
        let time = Duration.seconds(2 * block.bytes.count / max(1, budget))
        var request = HTTPSExchange.Request(
            url: "\(folder.url)/\(block.name)", host: host.description,
            port: folder.endpoint.port.port, addresses: addresses,
            policy: TLSPolicy(
                host: host.description, authority: identity.authority,
                certificate: identity.certificate, key: identity.key),
            connectMax: Limits.connect, totalMax: Limits.answer + time)
        request.method = .put
        request.headers = ["Content-Type: application/vnd.drawbridge.block"]
        request.body = block.bytes
        request.bytesPerSecond = budget
        request.replyBytesMax = Limits.replyBytesMax
        do throws(HTTPSExchange.Failure) {
            let reply = try await HTTPSExchange(request).reply(onThread: "bulk")
            return BulkReply(status: reply.status, retryAfter: reply.retryAfter)
        } catch {
            return .failed(words(error), after: nil)
        }
    }

    private func words(_ failure: HTTPSExchange.Failure) -> String {
        switch failure {
        case .distrust(let why): "is not trusted: \(why)"
        case .distrusted(let error): "does not take this router's certificate (\(error))"
        case .noLibrary(let error): "cannot be asked: \(error); install libcurl4"
        case .unreachable: "does not answer at its port"
        case .late: "does not answer in time"
        case .tooLong: "gives an answer that is too long"
        case .cancelled: "was not waited for"
        case .other(let error): "cannot be reached: \(error)"
        }
    }
}
