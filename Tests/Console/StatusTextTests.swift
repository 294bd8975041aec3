import Console
import Testing

@Suite("Status text")
struct StatusTextTests {
    @Test("a good day, letter by letter")
    func good() {
        #expect(
            StatusText.render(goodDay()) == """
                press-line-4   drawbridge 0.1.0   up 3 d 4 h                                  OK

                Uplinks   office  eth0   10.1.0.2  carrying  for 2 h 5 min, 0.4 ms, 0 % lost
                          wifi    wlan0  10.2.0.2  ready     for 2 h 5 min, 2.1 ms, 0 % lost
                          lte     wwan0  10.3.0.2  ready     for 2 h 5 min, 48.3 ms, 1.3 % lost
                Cloud     connected to mqtts://mqtt.ixon.net:443, for 2 h 4 min
                          1,234,563 delivered, 7 in flight, 7 waiting
                Machines  plc-1  connected, 264,060 polls, 2 errors
                Recorder  recording, 1.23 GB of 8.00 GB, room for 16 more days, 7 in memory
                          1,234,570 records since 15 Nov 15:00, 7 unsent, none lost
                Switch    on, remote access allowed, 1 change, last at 14:00
                VPN       connected, 10.8.0.6, server 203.0.113.10, for 59 s
                Firewall  in force, VPN gate open
                          dropped: WAN to router 12,345, WAN to LAN 17
                Names     3 refused; open: mqtt.ixon.net, vpn.ixon.net

                """)
    }

    @Test("who reads the ring besides the cloud has a line: how far behind, and what it lost")
    func cursors() {
        var document = goodDay()
        document.recorder.cursors = [
            .init(name: "mes", unreadRecords: 1_204, lostRecords: 0),
            .init(name: "archive", unreadRecords: 7, lostRecords: 40),
        ]
        let text = StatusText.render(document)
        #expect(text.contains("          cursors: mes 1,204 behind; archive 7 behind, 40 lost\n"))
        #expect(text.split(separator: "\n").count <= StatusText.rows)
    }

    @Test("a bad day, letter by letter: still one screen")
    func bad() {
        #expect(
            StatusText.render(badDay()) == """
                press-line-4   drawbridge 0.1.0   up 12 s, starting                     DEGRADED

                Problems  lte: no answer from 1.1.1.1 and 9.9.9.9
                          cloud: not connected
                          plc-1: no answer
                          recorder: disk full
                          and 1 more
                Uplinks   office    eth0   no address  down      for 2 h 5 min, no carrier: i...
                          wifi      wlan0  10.2.0.2    ready     for 2 h 5 min, 2.1 ms, 0 % lost
                          lte       wwan0  10.3.0.2    ready     for 2 h 5 min, 48.3 ms, 1.3 ...
                          uplink-4         no address  down      for 0 s
                          and 4 more
                Cloud     not connected for 2 h 4 min, 7 waiting
                          mqtts://mqtt.ixon.net:443: cannot resolve mqtt.ixon.net: ?[2Jtry
                Machines  plc-1   connected, 264,060 polls, 2 errors
                          and 29 more
                Recorder  cannot write, 1.23 GB of 8.00 GB, room for 16 more days, 7 in memory
                          1,234,570 records since 15 Nov 15:00, 7 unsent, 5,000 lost, 2 damaged
                Switch    unreadable, remote access closed: cannot open /dev/gpiochip0: No su...
                VPN       forbidden by the switch, server 203.0.113.10, for 59 s
                Firewall  in force, VPN gate closed, changed by others once
                          dropped: WAN to router 12,345, WAN to LAN 17
                          open: tcp/502 from wan to 192.168.140.10 (MES reads the PLC): 12 pa...
                Names     no DNS server answers; open: mqtt.ixon.net, vpn.ixon.net

                """)
    }

    @Test("behaviour 2.7: an exception outside its hours says when they begin, first of all")
    func hours() {
        var document = goodDay()
        func line(opensSeconds: Int?) -> String? {
            document.firewall.exceptions = [
                .init(
                    comment: "night shift", words: "lan to router, udp/123, daily 22:00-06:00",
                    packets: 0, lastSecondsAgo: nil, isOver: false, isClosed: true,
                    opensSeconds: opensSeconds)
            ]
            return StatusText.render(document).split(separator: "\n")
                .first { $0.contains("closed,") }.map { $0.drop { $0 == " " }.description }
        }
        #expect(
            line(opensSeconds: 3_600)
                == "closed, opens in 1 h: lan to router, udp/123, daily 22:00-06:00 (ni...")
        #expect(
            line(opensSeconds: nil)?.hasPrefix(
                "closed, its hours are over or the clock is wrong: lan")
                ?? false)
    }

    @Test("--watch draws round trips and losses below each uplink, where there is room")
    func sparklines() {
        let drawn = StatusText.render(goodDay(), sparklines: .unicode)
        #expect(drawn.contains("  ms ▁▁█ ▁  loss ▁▁▅█▁  25 s, 2 times suspected\n"), "\(drawn)")
        #expect(drawn.split(separator: "\n", omittingEmptySubsequences: false).count <= 25)
        let plain = StatusText.render(goodDay(), sparklines: .plain)
        #expect(plain.utf8.allSatisfy { $0 < 128 })
        #expect(
            StatusText.render(badDay(), sparklines: .unicode) == StatusText.render(badDay()))
    }

    @Test("never more than 80 columns and 24 lines, whatever is in the document")
    func fits() {
        var documents = [StatusDocument(), goodDay(), badDay()]
        for index in documents.indices {
            var long = documents[index]
            long.device = String(repeating: "d", count: 300)
            long.problems = (0..<50).map { "\($0) " + String(repeating: "p", count: 200) }
            long.cloud.reason = String(repeating: "c", count: 500)
            long.egress.names = (0..<100).map { "name-\($0).ixon.net" }
            long.machines = (0..<200).map { .init(name: String(repeating: "m", count: 20 + $0)) }
            long.uplinks = (0..<8).map { .init(name: String(repeating: "u", count: 10 + $0)) }
            documents.append(long)
        }
        for document in documents {
            let lines = StatusText.render(document).split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= StatusText.rows + 1)
            #expect(lines.allSatisfy { $0.count <= StatusText.columns })
        }
    }

    @Test("colour changes nothing but colour, and only where it is asked for")
    func colour() {
        for document in [goodDay(), badDay()] {
            let plain = StatusText.render(document)
            let coloured = StatusText.render(document, isColoured: true)
            #expect(!plain.contains("\u{1b}"))
            #expect(coloured.contains("\u{1b}[32m") || coloured.contains("\u{1b}[33m"))
            #expect(
                coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "") == plain)
        }
    }
}

@Suite("Prometheus text")
struct PrometheusTextTests {
    @Test("values and labels")
    func values() {
        let text = PrometheusText.render(goodDay())
        for line in [
            "drawbridge_info{device=\"press-line-4\",version=\"0.1.0\"} 1",
            "drawbridge_uplink_carrying{uplink=\"office\",interface=\"eth0\"} 1",
            "drawbridge_uplink_rtt_seconds{uplink=\"lte\",interface=\"wwan0\"} 0.0483",
            "drawbridge_uplink_loss_ratio{uplink=\"lte\",interface=\"wwan0\"} 0.0125",
            "drawbridge_firewall_packets_total{counter=\"wan_to_router\"} 12345",
            "drawbridge_cloud_connected 1", "drawbridge_recorder_quota_bytes 8000000000",
            "drawbridge_switch_position{position=\"on\"} 1",
            "drawbridge_switch_position{position=\"off\"} 0",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    @Test("the format: every sample follows the TYPE of its family, labels are escaped")
    func format() throws {
        var document = badDay()
        document.device = "a\"b\\c\nd"
        let text = PrometheusText.render(document)
        #expect(text.contains("device=\"a\\\"b\\\\c\\nd\""))
        #expect(text.hasSuffix("\n"))
        var family = ""
        var families: Set<String> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                family = String(line.split(separator: " ")[2])
                #expect(families.insert(family).inserted)
                #expect(line.hasSuffix(family.hasSuffix("_total") ? "counter" : "gauge"))
            } else if !line.hasPrefix("# HELP ") {
                let sample =
                    #/[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? -?[0-9.e-]+/#
                #expect(try sample.wholeMatch(in: line) != nil, "\(line)")
                #expect(line.prefix { $0 != "{" && $0 != " " } == family)
            }
        }
    }
}
