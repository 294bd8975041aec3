import Base

/// What must hold between the sources besides the machines.
extension Rules {
    mutating func checkSources() {
        checkSourceNames()
        checkPush()
        checkSubscriptions()
    }

    /// A source's name says who speaks: no two may have the same, and none is the router's own.
    private mutating func checkSourceNames() {
        let clients = settings.push.clients.enumerated().map {
            ("push.client[\($0)].name", $1.name)
        }
        let brokers = settings.subscriptions.enumerated().map { ("subscribe[\($0)].name", $1.name) }
        for (key, name) in clients + brokers where report.isSound(key) {
            if ["drawbridge", Settings.Health.source].contains(name) {
                complain(key, "\"\(name)\" is the router's own source; name it otherwise")
            }
        }
        unique(
            settings.machines.enumerated().map { ("machine[\($0)].name", $1.name) } + clients
                + brokers)
    }

    private mutating func checkSubscriptions() {
        for (index, broker) in settings.subscriptions.enumerated() {
            let key = "subscribe[\(index)]"
            let lan = settings.lan.network
            if report.isSound("\(key).broker", "lan.network"), !lan.contains(broker.address) {
                let network = reference(to: "lan.network")
                complain("\(key).broker", "\(broker.address) is outside \(lan) of \(network)")
            }
            if broker.passwordFile != nil, broker.user == nil, report.isSound("\(key).user") {
                complain("\(key).password-file", "stands without user; write that, too")
            }
            unique(broker.tags.enumerated().map { ("\(key).tag[\($0)].name", $1.name) })
            for (index, tag) in broker.tags.enumerated()
            where tag.log.deadband > 0 && tag.type != .number {
                let key = "\(key).tag[\(index)].log.deadband"
                if report.isSound(key) { complain(key, "only numbers have one; leave it out") }
            }
        }
    }

    private mutating func checkPush() {
        let push = settings.push
        guard report.isSound("push.listen") else { return }
        guard let listen = push.listen else {
            if !push.clients.isEmpty {
                complain("push.client[0]", "stands without listen in [push]; write that, too")
            }
            return
        }
        if report.isSound("lan.network"), !settings.lan.network.contains(listen.address) {
            let network = reference(to: "lan.network")
            complain(
                "push.listen",
                "\(listen.address) is outside \(settings.lan.network) of \(network); "
                    + "only the machine network may push")
        }
        if push.clients.isEmpty, report.isSound("push.client") {
            complain(
                "push.listen", "nobody may push there; add [[push.client]] with name and token-file"
            )
        }
        if listen == settings.page.listen, report.isSound("page.listen") {
            complain("push.listen", "is taken by \(reference(to: "page.listen"))")
        }
    }
}
