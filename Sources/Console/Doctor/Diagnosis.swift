import Base

/// Judges what the probes found: a pure function from findings to sentences.
struct Diagnosis {
    let plan: DoctorPlan
    let findings: DoctorFindings
    let status: StatusDocument

    typealias Step = DoctorReport.Step

    /// A clock before this was never set: 2025-01-01.
    static let oldestTime: Int64 = 1_735_689_600_000
    /// What a file system needs beside the ring to be called free, in bytes.
    static let diskReserve: Int64 = 16 << 20

    func report() -> DoctorReport {
        var report = DoctorReport(device: plan.device)
        if let key = status.keySwitch, key.cutsUplinks {
            let why = key.position == .off ? "is off" : "cannot be read"
            report.parts.append(
                .init(
                    name: "uplinks",
                    steps: [skipped("link", "not tried: the key \(why), which cuts all uplinks")]))
        }
        for uplink in findings.uplinks {
            report.parts.append(
                .init(
                    name: "uplink \(uplink.plan.name) (\(uplink.plan.interface))",
                    steps: steps(uplink)))
        }
        report.parts.append(.init(name: "cloud", steps: [mqtt()]))
        report.parts += parts(ofServers: findings.servers)
        if let push = push() { report.parts.append(push) }
        report.parts.append(.init(name: "remote access", steps: [vpn(), gpio()]))
        report.parts.append(.init(name: "router", steps: [disk(), clock()]))
        report.forIT = forIT()
        return report
    }

    func ok(_ name: String, _ text: String) -> Step {
        Step(name: name, outcome: .ok, text: text)
    }
    func failed(_ name: String, _ text: String) -> Step {
        Step(name: name, outcome: .failed, text: text)
    }
    func skipped(_ name: String, _ text: String) -> Step {
        Step(name: name, outcome: .skipped, text: text)
    }

    // MARK: - An uplink

    func steps(_ uplink: DoctorFindings.Uplink) -> [Step] {
        var steps: [Step] = []
        let tries: [(DoctorFindings.Uplink) -> Step] = [
            link, address, gateway, ping, dns, tcp, proxy, tls,
        ]
        for (index, attempt) in tries.enumerated() {
            let step = attempt(uplink)
            steps.append(step)
            // Behind a missing link, address or gateway everything else fails, too, and says nothing new.
            if step.outcome == .failed, index < 3 {
                let rest = ["link", "address", "gateway", "ping", "dns", "tcp", "proxy", "tls"]
                steps += rest.dropFirst(index + 1).map {
                    skipped($0, "not tried: see \(step.name)")
                }
                break
            }
        }
        return steps
    }

    private func link(_ uplink: DoctorFindings.Uplink) -> Step {
        let interface = uplink.plan.interface
        guard uplink.exists else {
            return failed(
                "link",
                "there is no interface \(interface): is the adapter or modem plugged in, and is "
                    + "\"interface\" of uplink \(uplink.plan.name) right?")
        }
        switch uplink.hasCarrier {
        case true: return ok("link", "\(interface) has a link")
        case false:
            return failed(
                "link",
                "no link on \(interface): look at the cable of \(uplink.plan.name), at both ends")
        default:
            return failed("link", "\(interface) is switched off: ip link set \(interface) up")
        }
    }

    private func address(_ uplink: DoctorFindings.Uplink) -> Step {
        guard let address = uplink.plan.address else {
            return failed(
                "address",
                "\(uplink.plan.interface) has no address: does a DHCP client run, and does a server answer it?"
            )
        }
        return ok("address", "\(address)")
    }

    private func gateway(_ uplink: DoctorFindings.Uplink) -> Step {
        guard let gateway = uplink.plan.gateway else {
            return failed(
                "gateway",
                "no gateway on \(uplink.plan.interface): DHCP gave none; set \"gateway\" of uplink "
                    + uplink.plan.name)
        }
        switch uplink.gatewayAnswers {
        case true: return ok("gateway", "\(gateway) answers on \(uplink.plan.interface)")
        case false:
            return failed(
                "gateway",
                "gateway \(gateway) does not answer ARP on \(uplink.plan.interface): is the address "
                    + "right, and is it the right network (VLAN, socket)?")
        default: return skipped("gateway", "\(gateway) was not asked")
        }
    }

    private func ping(_ uplink: DoctorFindings.Uplink) -> Step {
        guard let seen = status.uplinks.first(where: { $0.name == uplink.plan.name }) else {
            return skipped("ping", "not known")
        }
        guard seen.isUp else {
            return failed("ping", "the keep-alive is not answered: \(seen.reason)")
        }
        if let login = seen.login {
            return failed(
                "ping",
                "the keep-alive is answered, but \(uplink.plan.name) \(login): log in from a computer on "
                    + "that network, or have the router's hardware address let through")
        }
        let time = seen.rttMilliseconds.map { ", \(Figure.decimal($0)) ms" } ?? ""
        let loss = seen.lossPercent.map { ", \(Figure.decimal($0)) % lost" } ?? ""
        return ok("ping", "the keep-alive is answered\(time)\(loss)")
    }

    private func dns(_ uplink: DoctorFindings.Uplink) -> Step {
        guard !uplink.names.isEmpty else { return skipped("dns", "no name server was asked") }
        var troubles: [String] = []
        for (server, answer) in uplink.names {
            switch answer {
            case .works(let text):
                return ok("dns", "\(server) answers for \(plan.brokerHost)\(text)")
            case .fails(let why): troubles.append("\(server) (udp/53): \(why)")
            }
        }
        return failed(
            "dns",
            "no name server answers for \(plan.brokerHost): " + troubles.joined(separator: "; "))
    }

    private func tcp(_ uplink: DoctorFindings.Uplink) -> Step {
        switch uplink.connection {
        case nil:
            return skipped(
                "tcp", "not tried: \(plan.brokerHost) has no address: \(findings.resolveTrouble)")
        case .works: return ok("tcp", "\(endpoint) is reached")
        case .fails(let why):
            return failed(
                "tcp", "\(endpoint) is not reached, \(why): is tcp/\(plan.brokerPort) blocked?")
        }
    }

    private var endpoint: String {
        let address = findings.brokerAddress.map { " (\($0))" } ?? ""
        return "\(plan.brokerHost)\(address) tcp/\(plan.brokerPort)"
    }

    private func proxy(_ uplink: DoctorFindings.Uplink) -> Step {
        skipped("proxy", "none is configured")
    }

    private func tls(_ uplink: DoctorFindings.Uplink) -> Step {
        tls(uplink.tls, host: "\(plan.brokerHost)", authority: plan.authority)
    }

    func tls(_ found: DoctorFindings.TLS?, host: String, authority: String) -> Step {
        switch found {
        case nil: return skipped("tls", "not tried: see tcp")
        case .failed(let why):
            return failed("tls", "no TLS with \(host): \(why): does something else answer there?")
        case .shown(let certificate):
            switch certificate.trust {
            case .trusted:
                return ok(
                    "tls", "certificate of \(certificate.subject), from \(certificate.issuer)")
            case .foreign:
                return failed(
                    "tls",
                    "intercepted: the certificate for \(certificate.subject) comes from "
                        + "\"\(certificate.issuer)\", not from the authority in \(authority)")
            case .untimely:
                return failed(
                    "tls", "the certificate of \(certificate.subject) is not valid now: see clock")
            case .other(let why):
                return failed("tls", "the certificate of \(certificate.subject): \(why)")
            }
        }
    }

    // MARK: - The rest

    private func mqtt() -> Step {
        if status.isCutByKey { return skipped("mqtt", "the key is off, so there is none") }
        return status.cloud.isConnected
            ? ok("mqtt", status.cloud.reason) : failed("mqtt", status.cloud.reason)
    }

    private func vpn() -> Step {
        guard let tunnel = status.tunnel else { return skipped("vpn", "not configured") }
        if tunnel.isConnected {
            return ok("vpn", "connected\(tunnel.address.map { " as \($0)" } ?? "")")
        }
        if status.keySwitch?.position == .off {
            return skipped("vpn", "the key is off, so there is none")
        }
        if status.keySwitch?.position == .online {
            return skipped("vpn", "the key is at online, not at remote")
        }
        if let key = status.keySwitch, key.isTimeUp { return skipped("vpn", key.reason) }
        return failed("vpn", tunnel.reason)
    }

    private func gpio() -> Step {
        guard let key = status.keySwitch else { return skipped("gpio", "not configured") }
        switch key.position {
        case .on: return ok("gpio", "the key is on")
        case .online: return ok("gpio", "the key is at online")
        case .off: return ok("gpio", "the key is off")
        case .unknown:
            return failed(
                "gpio",
                "\(key.reason): look at [switch] chip and line, and at the wire; closed meanwhile")
        }
    }

    private func disk() -> Step {
        let recorder = status.recorder
        let folder = plan.recorderDirectory
        guard recorder.isRecording else { return failed("disk", "\(folder): \(recorder.state)") }
        guard let free = findings.diskFree else {
            return failed("disk", "\(folder) cannot be looked at")
        }
        let wanted = max(0, recorder.quotaBytes - recorder.bytes)
        let room = "\(ByteSize(bytes: free)) free for \(folder)"
        guard free >= wanted + Self.diskReserve else {
            return failed(
                "disk",
                "\(room), but the ring may still grow by \(ByteSize(bytes: wanted)): make room, or set "
                    + "a smaller [recorder] size")
        }
        return ok("disk", room)
    }

    private func clock() -> Step {
        let time = WallTime(milliseconds: findings.wallMilliseconds)
        let text =
            LocalTime(now: time, offsetSeconds: status.utcOffsetSeconds).full(time)
        guard findings.wallMilliseconds >= Self.oldestTime else {
            return failed(
                "clock",
                "the clock says \(text): certificates are not valid yet; does a time service run, "
                    + "and are [ntp] servers set?")
        }
        let isUntimely = findings.uplinks.contains {
            if case .shown(let certificate) = $0.tls {
                certificate.trust == .untimely
            } else {
                false
            }
        }
        guard !isUntimely else {
            return failed(
                "clock", "the clock says \(text), and the broker's certificate is not valid then")
        }
        return ok("clock", text + (findings.isClockKept ? "" : ", but no time service keeps it"))
    }

    // MARK: - For the IT department

    /// What the company's network must let through, for each uplink where it does not.
    private func forIT() -> String? {
        var wishes: [String] = []
        for uplink in findings.uplinks {
            let wish = needs(uplink)
            guard !wish.isEmpty else { continue }
            let identity = [
                uplink.plan.address.map { "address \($0)" },
                uplink.hardwareAddress.map { "MAC \($0)" },
            ].compactMap { $0 }.joined(separator: ", ")
            wishes.append("on \(uplink.plan.name) (\(identity)) " + wish.joined(separator: "; "))
        }
        let servers = findings.servers.compactMap(wish)
        // An uplink that carries nothing explains these, too.
        if wishes.isEmpty, !servers.isEmpty {
            wishes.append(servers.joined(separator: "; "))
        }
        guard !wishes.isEmpty else { return nil }
        return "please let the device \(plan.device), " + wishes.joined(separator: ", and ")
            + ". It opens all connections itself and accepts none."
    }

    private func needs(_ uplink: DoctorFindings.Uplink) -> [String] {
        var wishes: [String] = []
        for step in steps(uplink) where step.outcome == .failed {
            switch step.name {
            case "address": wishes.append("get an address by DHCP")
            case "gateway":
                wishes.append(
                    uplink.plan.gateway.map { "reach a gateway: \($0) does not answer" }
                        ?? "get a gateway by DHCP")
            case "ping": wishes.append("ping the internet (ICMP echo)")
            case "dns":
                let servers = plan.nameServers.map(\.description).joined(separator: ", ")
                wishes.append("ask the name servers \(servers) (udp/53 and tcp/53)")
            case "tcp": wishes.append("connect to \(endpoint)")
            case "tls":
                guard case .shown(let certificate) = uplink.tls, certificate.trust == .foreign
                else {
                    continue
                }
                wishes.append(
                    "talk to \(endpoint) without TLS inspection: the certificate that comes back is "
                        + "issued by \"\(certificate.issuer)\"")
            default: continue
            }
        }
        return wishes
    }
}
