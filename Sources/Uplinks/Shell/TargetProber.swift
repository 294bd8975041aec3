package import Base
package import Linux
package import Settings
import Synchronization

/// Probes each target in its own way: pings by `ICMPProber`; TCP connections and DNS questions each by a socket of its own,
/// bound to the uplink's device and address.
package final class TargetProber: Prober {
    /// Most sockets of one uplink that wait for an answer; the oldest goes first.
    private static let socketsMax = 64
    /// After this nobody waits for the answer any more.
    private static let patience = Duration.seconds(10)

    /// Bytes with IPv4 headers, as Linux sends them: a SYN and its answer, the acknowledgement and the reset after it.
    private static let synBytes = 60
    private static let acceptedBytes = 60 + 52 + 52
    private static let datagramHeader = 28
    /// What a name server says to our question, about.
    private static let usualAnswer = 92

    private final class Conversation: Sendable {
        let number: UInt64
        let probe: Probe
        let sentAt: Instant
        let socket: ProbeSocket
        /// nil: a connection.
        let question: DNSProbe?

        init(
            _ number: UInt64, _ probe: Probe, _ socket: consuming ProbeSocket,
            _ question: DNSProbe?, at now: Instant
        ) {
            self.number = number
            self.probe = probe
            self.socket = socket
            self.question = question
            sentAt = now
        }
    }

    /// One uplink with targets that are not pinged.
    private final class Lane: Sendable {
        let methods: [IPv4Address: Settings.ProbeTarget.Method]
        /// The sockets of the conversations by their numbers; 0: that of the pings.
        let ready: ReadinessSet
        let conversations = Mutex<[Conversation]>([])
        let next = Atomic<UInt64>(1)
        let bytes = Atomic<Int>(0)

        init(_ targets: [Settings.ProbeTarget], pings: Int32) throws(SystemError) {
            methods = Dictionary(
                targets.map { ($0.address, $0.method) }, uniquingKeysWith: { one, _ in one })
            ready = try ReadinessSet()
            try ready.add(pings, for: .readable, as: 0)
        }
    }

    private let pings: ICMPProber
    /// nil: all of its targets are pinged.
    private let lanes: [Lane?]
    private let clock: any MonotonicClock

    /// Opens the sockets for the pings; needs CAP_NET_RAW.
    package init(uplinks: [Settings.Uplink], clock: any MonotonicClock) throws {
        let pings = try ICMPProber(uplinks: uplinks.count)
        self.pings = pings
        self.clock = clock
        lanes = try uplinks.enumerated().map { number, uplink in
            let targets = uplink.keepAlive.probes
            guard targets.contains(where: { $0.method != .ping }) else { return nil }
            return try Lane(targets, pings: pings.descriptor(on: number))
        }
    }

    /// Bytes of the dearest probe of an uplink and of its answer, as a rule.
    static func bytes(_ uplink: Settings.Uplink) -> Int {
        uplink.keepAlive.probes.map {
            switch $0.method {
            case .ping: 2 * ICMPProber.echoBytes
            case .connect: synBytes + acceptedBytes
            case .dns: 2 * datagramHeader + DNSProbe(identifier: 0).query.count + usualAnswer
            }
        }.max() ?? 2 * ICMPProber.echoBytes
    }

    package func takeBytes(on uplink: Int) -> Int {
        pings.takeBytes(on: uplink) + (lanes[uplink]?.bytes.exchange(0, ordering: .relaxed) ?? 0)
    }
}

// Sending.
extension TargetProber {
    package func send(_ probe: Probe) throws(SystemError) {
        guard let lane = lanes[probe.uplink], let method = lane.methods[probe.target] else {
            return try pings.send(probe)
        }
        let path = probe.path
        switch method {
        case .ping:
            try pings.send(probe)
        case .connect(let port):
            let socket = try ProbeSocket(
                connectingTo: probe.target, port: port, over: path.interface, source: path.address)
            lane.bytes.add(Self.synBytes, ordering: .relaxed)
            try begin(probe, socket, nil, on: lane)
        case .dns:
            let question = DNSProbe(identifier: .random(in: .min ... .max))
            let query = question.query
            let socket = try ProbeSocket(
                sending: query, to: probe.target, port: 53, over: path.interface,
                source: path.address)
            lane.bytes.add(query.count + Self.datagramHeader, ordering: .relaxed)
            try begin(probe, socket, question, on: lane)
        }
    }

    private func begin(
        _ probe: Probe, _ socket: consuming ProbeSocket, _ question: DNSProbe?, on lane: Lane
    ) throws(SystemError) {
        let (now, number) = (clock.now(), lane.next.add(1, ordering: .relaxed).oldValue)
        try lane.ready.add(
            socket.descriptor, for: question == nil ? .writable : .readable, as: number)
        let conversation = Conversation(number, probe, socket, question, at: now)
        lane.conversations.withLock { all in
            all.removeAll { now - $0.sentAt > Self.patience }
            if all.count >= Self.socketsMax { all.removeFirst() }
            all.append(conversation)
        }
    }
}

// Hearing.
extension TargetProber {
    package func answers(on uplink: Int) async throws -> [ProbeAnswer] {
        guard let lane = lanes[uplink] else { return try await pings.answers(on: uplink) }
        while true {
            let answers = try arrived(on: uplink)
            if !answers.isEmpty { return answers }
            _ = try await Reactor.shared.wait(for: .readable, on: lane.ready.descriptor)
        }
    }

    package func arrived(on uplink: Int) throws(SystemError) -> [ProbeAnswer] {
        guard let lane = lanes[uplink] else { return try pings.arrived(on: uplink) }
        var answers = try pings.arrived(on: uplink)
        for number in try lane.ready.ready() where number != 0 {
            let conversation = lane.conversations.withLock { all in
                all.first { $0.number == number }
            }
            // Race: it was too old, and its socket is closed by now.
            guard let conversation else { continue }
            switch look(at: conversation, lane) {
            case .none: continue
            case .some(false): break
            case .some(true):
                answers.append(
                    ProbeAnswer(
                        source: conversation.probe.target, sequence: conversation.probe.sequence,
                        arrival: clock.now()))
            }
            lane.conversations.withLock { all in all.removeAll { $0.number == number } }
        }
        return answers
    }

    /// Whether it was answered; nil: it may still be.
    private func look(at conversation: Conversation, _ lane: Lane) -> Bool? {
        switch conversation.socket.look() {
        case .silent: return nil
        case .failed: return false
        case .answered:
            lane.bytes.add(Self.acceptedBytes, ordering: .relaxed)
            return true
        case .datagram(let datagram):
            lane.bytes.add(datagram.count + Self.datagramHeader, ordering: .relaxed)
            // Somebody else's guess does not end the wait.
            return conversation.question?.isAnswered(by: datagram) == true ? true : nil
        }
    }
}
