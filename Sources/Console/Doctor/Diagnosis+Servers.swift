import Base

/// Servers besides the cloud's broker: from the name to the login.
extension Diagnosis {
    func parts(ofServers servers: [DoctorFindings.Server]) -> [DoctorReport.Part] {
        servers.map { server in
            var steps: [Step] = []
            for attempt in [name, connection, certificate] {
                guard let step = attempt(server) else { continue }
                steps.append(step)
                if step.outcome != .ok { break }
            }
            let reason = steps.last { $0.outcome != .ok }
            steps.append(session(server, after: reason))
            return .init(name: server.plan.part, steps: steps)
        }
    }

    func push() -> DoctorReport.Part? {
        plan.push.map { push in
            let step =
                push.trouble.map {
                    failed("push", "\($0): look at [push] listen and [[push.client]] token-file")
                }
                ?? ok(
                    "push",
                    push.clients.isEmpty
                        ? "\(push.listen) listens, but no [[push.client]] may push"
                        : "\(push.listen) listens for \(push.clients.joined(separator: ", "))")
            return .init(name: "push", steps: [step])
        }
    }

    /// What the company's network would have to let through for a server, if that is what fails.
    func wish(_ server: DoctorFindings.Server) -> String? {
        guard case .name = server.plan.host, case .fails = server.connection else { return nil }
        return "connect to \(place(server))"
    }

    private func place(_ server: DoctorFindings.Server) -> String {
        let port = "tcp/\(server.plan.port)"
        switch server.plan.host {
        case .address(let address): return "\(address) \(port)"
        case .name(let name):
            return "\(name)\(server.address.map { " (\($0))" } ?? "") \(port)"
        }
    }

    private func name(_ server: DoctorFindings.Server) -> Step? {
        guard case .name(let name) = server.plan.host else { return nil }
        guard server.interface != nil else {
            return skipped("dns", "not tried: no uplink carries")
        }
        guard let address = server.address else {
            return failed(
                "dns",
                "\(name) has no address: \(server.resolveTrouble); look at \(server.plan.key) and at the "
                    + "uplinks' dns")
        }
        return ok("dns", "\(name) is \(address)")
    }

    private func connection(_ server: DoctorFindings.Server) -> Step? {
        switch (server.connection, server.plan.host) {
        case (nil, _): return skipped("tcp", "not tried")
        case (.works, _): return ok("tcp", "\(place(server)) is reached")
        case (.fails(let why), .name):
            return failed(
                "tcp",
                "\(place(server)) is not reached, \(why): does the server run, and is tcp/"
                    + "\(server.plan.port) blocked?")
        case (.fails(let why), .address):
            return failed(
                "tcp",
                "\(place(server)) is not reached, \(why): is it on, is its cable in, and is "
                    + "\(server.plan.key) right?")
        }
    }

    private func certificate(_ server: DoctorFindings.Server) -> Step? {
        guard let authority = server.plan.authority, case .name(let name) = server.plan.host else {
            return nil
        }
        return tls(server.tls, host: "\(name)", authority: authority)
    }

    /// What our own session says: it has logged in, or been turned away, with what the config file gave it.
    private func session(_ server: DoctorFindings.Server, after reason: Step?) -> Step {
        if let reason { return skipped("login", "not tried: see \(reason.name)") }
        guard let trouble = server.plan.trouble else { return ok("login", "our session works") }
        return failed("login", "\(trouble): look at \(server.plan.key)")
    }
}
