import Console

/// A site on a good day.
func goodDay() -> StatusDocument {
    var document = StatusDocument()
    document.device = "press-line-4"
    document.softwareVersion = "0.1.0"
    document.uptimeSeconds = 3 * 86_400 + 4 * 3_600 + 61
    // 2026-11-18 14:02:09 UTC, told in Central European Time.
    document.timeMilliseconds = 1_795_010_529_000
    document.utcOffsetSeconds = 3600
    document.isReady = true
    document.state = .ok
    document.uplinkSwitches = 2
    document.uplinks = [("office", "eth0", 1), ("wifi", "wlan0", 2), ("lte", "wwan0", 3)].map {
        var uplink = StatusDocument.Uplink(name: $0.0)
        uplink.interface = $0.1
        uplink.address = "10.\($0.2).0.2"
        uplink.gateway = "10.\($0.2).0.1"
        uplink.isUp = true
        uplink.isCarrying = $0.2 == 1
        uplink.rttMilliseconds = [0.44, 2.06, 48.3][$0.2 - 1]
        uplink.lossPercent = $0.2 == 3 ? 1.25 : 0
        uplink.reason = "answers"
        uplink.sinceSeconds = 7_500
        uplink.bursts = $0.2 == 3 ? 2 : 0
        uplink.jitterMilliseconds = 0.1
        uplink.probesMilliseconds = [0.5, nil, 0.44]
        uplink.targets = ["1.1.1.1", "9.9.9.9"]
        uplink.silentTargets = []
        if $0.2 == 3 {
            uplink.probeBytesBudget = 5_000_000
            uplink.probeBytesUsed = 1_234_567
            uplink.probeIntervalMilliseconds = 20_100
        }
        var history = StatusDocument.Uplink.History(intervalSeconds: 5)
        history.rttMilliseconds = [0.4, 2, 20, nil, 0.5]
        history.lossPercent = [0, 0, 50, 100, 0]
        history.isCarrying = [true, true, true, false, true].map { $0 && uplink.isCarrying }
        uplink.history = history
        return uplink
    }
    document.firewall.state = "in force"
    document.firewall.isInForce = true
    document.firewall.isGateOpen = true
    document.firewall.counters = [
        .init(name: "wan_to_router", packets: 12_345, bytes: 740_700),
        .init(name: "wan_to_lan", packets: 17, bytes: 1_020),
        .init(name: "lan_to_wan", packets: 0, bytes: 0),
    ]
    document.egress.names = ["mqtt.ixon.net", "vpn.ixon.net"]
    document.egress.refused = 3
    document.egress.refusedNames = ["ads.example"]
    document.egress.servers = ["9.9.9.9"]
    document.recorder.state = "recording"
    document.recorder.isRecording = true
    document.recorder.acceptedRecords = 1_234_570
    document.recorder.durableRecords = 1_234_563
    document.recorder.bytes = 1_230_000_000
    document.recorder.quotaBytes = 8_000_000_000
    document.recorder.firstSequence = 1
    document.recorder.lastSequence = 1_234_570
    document.recorder.unsentRecords = 7
    document.recorder.oldestMilliseconds = 1_794_751_200_000
    document.recorder.newestMilliseconds = 1_795_010_528_000
    document.recorder.roomSeconds = 16 * 86_400
    var machine = StatusDocument.Machine(name: "plc-1")
    machine.isConnected = true
    machine.polls = 264_060
    machine.errors = 2
    machine.address = "192.168.140.10:502"
    machine.lastAnswerMilliseconds = 1_795_010_528_000
    document.machines = [machine]
    var lan = StatusDocument.LAN()
    lan.ports = [.init(name: "lan0", hasCarrier: true, sinceSeconds: 7_500)]
    lan.machines = [
        .init(name: "plc-1", address: "192.168.140.10", isThere: true, sinceSeconds: 7_490)
    ]
    document.lan = lan
    document.cloud.isConnected = true
    document.cloud.reason = "connected to mqtts://mqtt.ixon.net:443"
    document.cloud.sinceSeconds = 7_499
    document.cloud.deliveredRecords = 1_234_563
    document.cloud.inFlightRecords = 7
    document.cloud.backlogRecords = 7
    var tunnel = StatusDocument.Tunnel()
    tunnel.state = "connected"
    tunnel.isConnected = true
    tunnel.address = "10.8.0.6"
    tunnel.sinceSeconds = 59
    tunnel.server = "203.0.113.10"
    document.tunnel = tunnel
    var keySwitch = StatusDocument.KeySwitch()
    keySwitch.position = .on
    keySwitch.isGateOpen = true
    keySwitch.changes = 1
    keySwitch.sinceSeconds = 3_700
    keySwitch.schedule = "real-time"
    keySwitch.isMemoryLocked = true
    keySwitch.isBrokenWireOff = true
    document.keySwitch = keySwitch
    return document
}

/// The same site with almost everything wrong, and with eight uplinks and thirty machines.
func badDay() -> StatusDocument {
    var document = goodDay()
    document.state = .degraded
    document.isReady = false
    document.uptimeSeconds = 12
    document.problems = [
        "lte: no answer from 1.1.1.1 and 9.9.9.9", "cloud: not connected", "plc-1: no answer",
        "recorder: disk full", "one too many",
    ]
    document.failures = [
        .init(room: "egress", reason: "bind 127.0.0.1:53: address already in use", retrySeconds: 4)
    ]
    document.uplinks[0].isUp = false
    document.uplinks[0].isCarrying = false
    document.uplinks[0].address = nil
    document.uplinks[0].reason = "no carrier: is the cable plugged in at the router and the switch?"
    document.uplinks[1].heldSeconds = 45
    document.uplinks[1].poorness = "loses 22 % of its probes, wifi none"
    document.uplinks[2].silentTargets = ["9.9.9.9"]
    document.uplinkHistory = [
        .init(
            secondsAgo: 7, from: "office", to: "wifi", cause: "no carrier",
            blackoutMilliseconds: 24.5, resets: 3)
    ]
    document.uplinks += (4...8).map { StatusDocument.Uplink(name: "uplink-\($0)") }
    document.egress.serversAnswer = false
    document.egress.serversSilentSeconds = 120
    document.cloud.isConnected = false
    document.cloud.lastError = "timed out"
    document.cloud.reason = "mqtts://mqtt.ixon.net:443: cannot resolve mqtt.ixon.net: \u{1b}[2Jtry"
    document.machines += (2...30).map {
        var machine = StatusDocument.Machine(name: "plc-\($0)")
        machine.reason = "cannot connect to 192.168.140.10:502: No route to host"
        return machine
    }
    document.recorder.isRecording = false
    document.recorder.state = "cannot write"
    document.recorder.lostRecords = 5_000
    document.recorder.damagedFrames = 2
    document.machines[1].lastAnswerMilliseconds = 1_795_009_500_000
    document.keySwitch?.position = .unknown
    document.keySwitch?.level = "high"
    document.keySwitch?.isSettling = true
    document.keySwitch?.leaseAgeMilliseconds = 130
    document.keySwitch?.cuts = [.init(secondsAgo: 60, latencyMilliseconds: 0.4)]
    document.firewall.foreignChanges = 1
    document.firewall.foreignChangeBy = "nft"
    document.egress.askers = [
        .init(uid: 33, user: "www-data", program: "curl", refused: 3, lastName: "ads.example")
    ]
    document.firewall.signs = [
        .init(
            zone: "wan", measure: "drops", rate: 4_321, peak: 5_000, limit: 200, total: 98_765,
            sinceSeconds: 34)
    ]
    document.firewall.refused = [
        .init(
            counter: "wan_to_router", from: "10.1.0.66", to: "10.1.0.2", service: "tcp/22",
            packets: 17)
    ]
    document.configuration.trialSeconds = 43
    document.firewall.exceptions = [
        .init(
            comment: "MES reads the PLC", words: "tcp/502 from wan to 192.168.140.10", packets: 12,
            lastSecondsAgo: 5, isOver: false)
    ]
    document.keySwitch?.reason = "cannot open /dev/gpiochip0: No such file or directory"
    document.keySwitch?.changes = 0
    document.firewall.isGateOpen = false
    document.tunnel?.isConnected = false
    document.tunnel?.state = "forbidden by the switch"
    document.tunnel?.address = nil
    return document
}
