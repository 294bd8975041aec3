package import Base
import Linux
package import Logging
package import Settings

/// Takes what clients of the machine network push. Each proves who it is (`PushGreeting`), and from then on speaks for
/// its own name only; the lines are those of the unix socket.
package actor LANPushService {
    private let listen: Settings.Page.Listener
    private let clients: [Settings.Push.Client]
    private let conversation: PushConversation
    private let clock: any MonotonicClock
    private let logger: Logger
    private var admission = PushAdmission()
    /// Why nobody can push; nil: they can.
    private var deafness: String?
    /// By client: why its token cannot be used.
    private var tokenTroubles: [String: String] = [:]
    private var isShut: Set<IPv4Address> = []

    package init(
        listen: Settings.Page.Listener, clients: [Settings.Push.Client],
        conversation: PushConversation, clock: any MonotonicClock, logger: Logger
    ) {
        self.listen = listen
        self.clients = clients
        self.conversation = conversation
        self.clock = clock
        self.logger = logger
    }

    /// What a technician must mend; nil: nothing.
    package var trouble: String? {
        if let deafness { return deafness }
        let broken = clients.compactMap { client in
            tokenTroubles[client.name].map { "client \(client.name): \($0)" }
        }
        return broken.isEmpty ? nil : broken.joined(separator: "; ")
    }

    /// Runs until cancelled. The interface may get its address later.
    package func run() async throws {
        for client in clients { _ = token(of: client) }
        while true {
            do {
                let listener = try TCPListener(listen.address, port: listen.port)
                deafness = nil
                logger.notice(
                    "push listening", metadata: ["address": "\(listen.address):\(listen.port)"])
                try await serve(listener)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if deafness == nil {
                    logger.warning("push cannot listen", metadata: ["error": "\(error)"])
                }
                deafness = "\(error)"
                try await clock.sleep(until: clock.now() + Limits.pushListenPause)
            }
        }
    }

    private func serve(_ listener: TCPListener) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                guard let (caller, address) = try await next(listener) else { continue }
                let verdict = admission.came(from: address, at: clock.now())
                switch verdict {
                case .welcome:
                    group.addTask { await self.serve(caller, from: address) }
                case .full:
                    try? await conversation.answer("error: too many connections\n", caller)
                case .shut:
                    note(shut: address)
                    try? await conversation.answer("error: too many wrong answers\n", caller)
                }
            }
        }
    }

    /// Nil: it could not be accepted. Those who are here stay.
    private func next(_ listener: TCPListener) async throws -> (UnixStream, IPv4Address)? {
        do {
            return try await listener.accept()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning("push cannot accept", metadata: ["error": "\(error)"])
            // Out of descriptors, most likely: do not spin.
            try await clock.sleep(until: clock.now() + .milliseconds(200))
            return nil
        }
    }

    private func serve(_ caller: UnixStream, from address: IPv4Address) async {
        defer { admission.left(address) }
        do {
            let (name, rest) = try await authenticate(caller, from: address)
            guard let name else { return }
            try await conversation.go(on: caller, as: name, begun: rest)
        } catch {
            // It left, or takes no answers: that is its own affair.
            logger.debug(
                "push client gone", metadata: ["from": "\(address)", "error": "\(error)"])
        }
    }

    /// Who it is, and what it has sent besides; nil: nobody that we know, and it has been told.
    private func authenticate(
        _ caller: UnixStream, from address: IPv4Address
    ) async throws -> (name: String?, rest: [UInt8]) {
        let deadline = clock.now() + Limits.pushAnswerPatience
        let greeting = PushGreeting(nonce: try Entropy.bytes(32))
        try await caller.write(Array((greeting.line + "\n").utf8), until: deadline)
        var heard: [UInt8] = []
        while heard.count <= Limits.pushAnswerBytesMax, !heard.contains(10) {
            let chunk: [UInt8]
            do {
                chunk = try await caller.read(
                    atMost: Limits.pushAnswerBytesMax + 1, until: deadline)
            } catch {
                admission.failed(address, at: clock.now())
                throw error
            }
            // Whoever only looks whether somebody is here has tried nothing.
            if chunk.isEmpty { return (nil, []) }
            heard += chunk
        }
        if let end = heard.firstIndex(of: 10), let answer = PushGreeting.Answer(heard[..<end]),
            isRight(answer, greeting)
        {
            admission.succeeded(address)
            isShut.remove(address)
            logger.notice(
                "push client", metadata: ["client": "\(answer.name)", "from": "\(address)"])
            try await conversation.answer("ok\n", caller)
            return (answer.name, Array(heard[(end + 1)...]))
        }
        admission.failed(address, at: clock.now())
        logger.debug("push client refused", metadata: ["from": "\(address)"])
        try await conversation.answer("error: not authenticated\n", caller)
        return (nil, [])
    }

    /// An unknown name costs what a wrong proof does, and gets the same words.
    private func isRight(_ answer: PushGreeting.Answer, _ greeting: PushGreeting) -> Bool {
        let client = clients.first { $0.name == answer.name }
        let token = client.flatMap { self.token(of: $0) }
        let expected = KeyedHash.sha256(
            key: token?.bytes ?? Array(greeting.line.utf8), Array(greeting.line.utf8))
        return KeyedHash.areEqual(expected, answer.proof) && token != nil
    }

    /// Read anew each time: a new token needs no new config.
    private func token(of client: Settings.Push.Client) -> PushToken? {
        do throws(SecretFile.Problem) {
            let bytes = try SecretFile.line(client.tokenFile, bytesMax: Limits.pushTokenBytesMax)
            guard let token = PushToken(bytes) else {
                throw SecretFile.Problem("\(client.tokenFile) is not \(PushToken.words)")
            }
            tokenTroubles[client.name] = nil
            return token
        } catch {
            if tokenTroubles[client.name] == nil {
                logger.warning(
                    "push client has no token",
                    metadata: ["client": "\(client.name)", "reason": "\(error)"])
            }
            tokenTroubles[client.name] = error.description
            return nil
        }
    }

    /// Once for each address: a flood of tries must not flood the journal.
    private func note(shut address: IPv4Address) {
        if isShut.count >= Limits.pushHostsMax { isShut = [] }
        guard isShut.insert(address).inserted else { return }
        logger.warning("push client answers wrongly", metadata: ["from": "\(address)"])
    }
}
