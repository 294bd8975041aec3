private import CMosquitto
import Glibc

/// One client of libmosquitto, used by one thread from its first to its last call.
///
/// It never reconnects by itself and never retries: its owner decides. (libmosquitto's own thread would
/// reconnect behind our back, with a will that names a session that is over.)
struct Mosquitto: ~Copyable {
    /// What the library's callbacks leave for the owner to pick up after each call. One thread only.
    final class Mailbox {
        var connack: Int32?
        var acknowledged: [Int32] = []
        var received: [MQTTMessage] = []
        var receivedBytesMax = 0
        /// Messages longer than that.
        var oversized: UInt64 = 0
        /// What was asked for, by the library's numbers, until the broker has answered.
        var asked: [Int32: String] = [:]
        var notSubscribed: [String] = []
        /// Errors as the library and OpenSSL worded them; the newest 16.
        var log: [String] = []

        func note(_ line: String) {
            if log.count >= 16 { log.removeFirst() }
            log.append(String(line.prefix(300)))
        }
    }

    /// Keeps OpenSSL's context alive; nil: plain TCP.
    private final class Encryption {
        let context: TLSContext

        init(_ context: consuming TLSContext) { self.context = context }
    }

    private let client: OpaquePointer
    /// As stored properties these outlive `mosquitto_destroy` in `deinit`.
    private let tls: Encryption?
    /// The callbacks' context.
    let mailbox: Mailbox

    private static let initialised: Bool = mosquitto_lib_init() == 0

    init(_ options: MQTTOptions) throws(MQTTTrouble) {
        precondition(Self.initialised, "libmosquitto cannot start")
        let mailbox = Mailbox()
        let tls = try Self.encryption(options)
        let context = Unmanaged.passUnretained(mailbox).toOpaque()
        guard let client = mosquitto_new(options.clientID, true, context) else {
            throw .refused(why: "libmosquitto refused the client id \"\(options.clientID)\"")
        }
        self.client = client
        self.tls = tls
        self.mailbox = mailbox
        mailbox.receivedBytesMax = options.receivedBytesMax
        mosquitto_connect_callback_set(client, whenConnected)
        mosquitto_publish_callback_set(client, whenAcknowledged)
        mosquitto_message_callback_set(client, whenReceived)
        mosquitto_subscribe_callback_set(client, whenSubscribed)
        mosquitto_log_callback_set(client, whenLogged)
        mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1)
        // The sender limits itself: the library must not hold messages back.
        mosquitto_max_inflight_messages_set(client, 10_000)
    }

    deinit {
        mosquitto_destroy(client)
    }

    /// Sets will and TLS policy; to be called once, before `connect`.
    func configure(_ options: MQTTOptions) throws(MQTTTrouble) {
        if let will = options.will {
            let result = mosquitto_will_set(
                client, will.topic, Int32(will.payload.count), will.payload, 1, false)
            guard result == 0 else { throw .refused(why: "the will cannot be set") }
        }
        if let login = options.login {
            let result = mosquitto_username_pw_set(client, login.user, login.password)
            guard result == 0 else { throw .refused(why: "user and password cannot be set") }
        }
        guard let tls else { return }
        // The library takes a reference of its own, and changes nothing: it is our policy as it is.
        let result = tls.context.withUnsafeContext {
            mosquitto_opts_set(client, MOSQ_OPT_SSL_CTX, $0)
        }
        guard result == 0,
            mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) == 0
        else { throw .refused(why: "libmosquitto does not take our TLS policy") }
    }

    private static func encryption(_ options: MQTTOptions) throws(MQTTTrouble) -> Encryption? {
        guard let identity = options.identity else { return nil }
        do throws(TLSProblem) {
            return Encryption(
                try TLSContext(
                    TLSPolicy(
                        host: options.host, authority: identity.authority,
                        certificate: identity.certificate, key: identity.key, pins: options.pins)))
        } catch {
            switch error.part {
            case .authority: throw .file(key: "ca", why: error.why)
            case .certificate: throw .file(key: "certificate", why: error.why)
            case .key: throw .file(key: "key", why: error.why)
            case .library: throw .tls(why: error.why)
            }
        }
    }

    /// Resolves the name, which blocks, and starts to connect, which does not.
    func connect(_ options: MQTTOptions) throws(MQTTTrouble) {
        let result = mosquitto_connect_async(
            client, options.host, Int32(options.port),
            options.keepAliveSeconds)
        let code = errno
        if result == MOSQ_ERR_EAI.rawValue {
            throw .cannotResolve(why: String(cString: gai_strerror(code)))
        }
        try check(result, code, options)
    }

    /// The number to wait on; −1 when the connection is gone.
    var socket: Int32 { mosquitto_socket(client) }
    var wantsToWrite: Bool { mosquitto_want_write(client) }

    /// Does what can be done without blocking: handshake, reading, writing, keep-alive.
    func work(_ options: MQTTOptions) throws(MQTTTrouble) {
        var result = mosquitto_loop_read(client, 1)
        try check(result, errno, options)
        result = mosquitto_loop_write(client, 1)
        try check(result, errno, options)
        result = mosquitto_loop_misc(client)
        try check(result, errno, options)
    }

    /// The number by which the acknowledgement will name this message; QoS 1.
    func publish(_ message: MQTTMessage, _ options: MQTTOptions) throws(MQTTTrouble) -> Int32 {
        var id: Int32 = 0
        let result = mosquitto_publish(
            client, &id, message.topic, Int32(message.payload.count), message.payload, 1, false)
        try check(result, errno, options)
        return id
    }

    func subscribe(_ filter: String, _ options: MQTTOptions) throws(MQTTTrouble) {
        var id: Int32 = 0
        let result = mosquitto_subscribe(client, &id, filter, 1)
        try check(result, errno, options)
        mailbox.asked[id] = filter
    }

    /// Sends DISCONNECT: the broker forgets the will.
    func disconnect() {
        mosquitto_disconnect(client)
    }

    private func check(_ result: Int32, _ code: Int32, _ options: MQTTOptions)
        throws(MQTTTrouble)
    {
        if let connack = mailbox.connack, connack != 0 {
            throw .connack(connack, options)
        }
        // Negative: the connection is being made.
        guard result > 0 else { return }
        let accepted = mailbox.connack == 0
        // What the library makes of an end without TLS's close_notify.
        let isHangUp =
            result == MOSQ_ERR_CONN_LOST.rawValue
            || (result == MOSQ_ERR_ERRNO.rawValue && (code == EPROTO || code == EPIPE))
            || mailbox.log.contains { $0.contains("unexpected eof") }
        let systemText = String(cString: strerror(code))
        if let refusal = tls?.context.verdict.refusal { throw .tls(why: refusal) }
        if let identity = options.identity,
            let trouble = MQTTTrouble.reading(log: mailbox.log, identity: identity)
        {
            throw trouble
        }
        guard !isHangUp else {
            throw accepted
                ? .lost(why: "the broker closed the connection") : .closedEarly(options)
        }
        switch result {
        case MOSQ_ERR_KEEPALIVE.rawValue:
            throw .lost(
                why: "the broker did not answer for \(2 * options.keepAliveSeconds) s")
        case MOSQ_ERR_ERRNO.rawValue where accepted: throw .lost(why: systemText)
        case MOSQ_ERR_ERRNO.rawValue: throw .unreachable(why: "cannot connect: \(systemText)")
        default:
            throw .lost(why: String(cString: mosquitto_strerror(result)))
        }
    }
}

extension MQTTTrouble {
    /// With TLS 1.3 a broker refuses a certificate after our side of the handshake is done, and its alert
    /// can get lost in the reset that follows.
    static func closedEarly(_ options: MQTTOptions) -> MQTTTrouble {
        guard let identity = options.identity else {
            return .refused(why: "the broker closed the connection before it accepted us")
        }
        return .tls(
            why: "the broker closed the connection before it accepted us; "
                + "it may have refused our certificate \(identity.certificate)")
    }
}

// File-level functions: a closure written in an isolated context would trap on a foreign thread.

private func mailbox(_ context: UnsafeMutableRawPointer?) -> Mosquitto.Mailbox? {
    context.map { Unmanaged<Mosquitto.Mailbox>.fromOpaque($0).takeUnretainedValue() }
}

private func whenConnected(_: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ code: Int32) {
    mailbox(context)?.connack = code
}

private func whenAcknowledged(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ id: Int32
) {
    mailbox(context)?.acknowledged.append(id)
}

private func whenReceived(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?,
    _ message: UnsafePointer<mosquitto_message>?
) {
    guard let message = message?.pointee, let mailbox = mailbox(context) else { return }
    guard message.payloadlen <= mailbox.receivedBytesMax else {
        mailbox.oversized += 1
        return
    }
    let payload = UnsafeRawBufferPointer(
        start: message.payload, count: Int(max(0, message.payloadlen)))
    mailbox.received.append(
        MQTTMessage(
            topic: String(cString: message.topic), payload: Array(payload),
            isRetained: message.retain))
}

private func whenSubscribed(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ id: Int32, _ count: Int32,
    _ granted: UnsafePointer<Int32>?
) {
    // MQTT 3.1.1 §3.9.3: 0x80 is a refusal.
    guard let mailbox = mailbox(context), let filter = mailbox.asked.removeValue(forKey: id),
        count > 0, let granted, granted[0] >= 0x80
    else { return }
    mailbox.notSubscribed.append(filter)
}

private func whenLogged(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ level: Int32,
    _ text: UnsafePointer<CChar>?
) {
    guard level == MOSQ_LOG_ERR, let text else { return }
    mailbox(context)?.note(String(cString: text))
}
