package import Base
import Glibc
import Linux

/// A packet to each port of a host: TCP SYNs and UDP datagrams with right checksums, as a scanner sends them.
package enum PortSweep {
    /// Sends through `interface` to all 65,535 ports of both protocols; returns how many were sent.
    package static func run(
        interface: String, router: [UInt8], from sender: IPv4Address, to receiver: IPv4Address
    ) throws -> Int {
        let wire = try FuzzWire(interface: interface)
        let ethernet = router + wire.address + [0x08, 0x00]
        var sent = 0
        for port in UInt16(1)...UInt16.max {
            for transport in [TransportProtocol.tcp, .udp] {
                let frame =
                    ethernet + packet(transport, port, from: sender, to: receiver)
                for _ in 0..<1000 {
                    if wire.send(frame) {
                        sent += 1
                        break
                    }
                    usleep(100)
                }
            }
            // The router's processor has a queue of 1000.
            if port % 32 == 31 { sched_yield() }
        }
        return sent
    }

    /// An IPv4 packet from a port that is far from all services.
    private static func packet(
        _ transport: TransportProtocol, _ port: UInt16, from sender: IPv4Address,
        to receiver: IPv4Address
    ) -> [UInt8] {
        let ends = sender.bytes + receiver.bytes
        var payload: [UInt8] = [0xc3, 0x50, UInt8(port >> 8), UInt8(port & 0xff)]
        switch transport {
        case .tcp:
            payload += [0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x04, 0, 0, 0, 0, 0]
            FuzzPackets.sumTCP(&payload, ends)
        case .udp: payload += [0, 8, 0, 0]
        }
        var packet: [UInt8] = [0x45, 0, 0, UInt8(20 + payload.count), 0, 0, 0x40, 0, 64]
        packet += [transport.number, 0, 0] + ends
        let sum = FuzzPackets.checksum(packet)
        packet.replaceSubrange(10..<12, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
        return packet + payload
    }
}

extension Site {
    /// Scans every TCP and UDP port of the router from the office host; any packet of the router's to it counts as
    /// an answer.
    package func scan() async throws -> FuzzRound {
        let router = try await hardwareAddress(of: "eth0")
        let before = try await framesReceived()
        let watcher = try startBackground(
            in: .office, name: "scan-watch",
            [programs.site, "fuzz-watch", "--router", router, "--expected-port", "0"])
        try await watcher.waitUntilReady(saying: "watching", within: options.readyWithin)
        let text = try await output(
            in: .office, [programs.site, "sweep", "--router", router], timeout: .seconds(120))
        try await Task.sleep(for: .milliseconds(200))
        var round = FuzzRound()
        round.sent = Int(text.filter(\.isNumber)) ?? 0
        round.arrived = try await framesReceived() - before
        await watcher.stop()
        round.add(try SmallFile.readText(directory.log(watcher.name)), of: watcher.name)
        return round
    }

    /// Loads what the boot unit loads before the network comes up.
    package func loadBootRules() async throws {
        let rules = try await output(
            in: .router, [programs.daemon, "firewall", "show", "--closed"])
        try await output(in: .router, ["nft", "-f", "-"], input: rules)
    }

    /// Waits until the daemon's rules are loaded.
    package func waitForRules() async throws {
        try await waitUntil(within: .seconds(15), "the daemon's rules") {
            (try? await status())?.contains("\"isInForce\":true") ?? false
        }
    }
}
