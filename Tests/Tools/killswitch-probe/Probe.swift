import Base
import Glibc
import KillSwitch
import Linux
import Logging
import Settings

/// The real kill switch in a process of its own, so that a test can preload the GPIO emulation into it.
///
///     killswitch-probe CHIP LINE WHEN BIAS DEBOUNCE BROKEN [DISABLES LIMIT [REMOTE-LINE]]
///
/// Writes a line for each order to the gate and for each event, with nanoseconds since boot before it. The
/// gate refuses orders while the file BROKEN exists. Ends when its standard input does.
@main
struct Probe {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard [6, 8, 9].contains(arguments.count),
            let offLevel = Settings.KeySwitch.Level(rawValue: arguments[2]),
            let bias = Settings.KeySwitch.Bias(rawValue: arguments[3]),
            let debounce = DurationText.parse(arguments[4])
        else {
            say("usage: killswitch-probe CHIP LINE WHEN BIAS DEBOUNCE BROKEN")
            exit(2)
        }
        var settings = Settings.KeySwitch(
            chip: arguments[0],
            line: UInt32(arguments[1]).map { .offset($0) } ?? .name(arguments[1]),
            offLevel: offLevel, bias: bias, debounce: debounce,
            disables: arguments.count > 6 && arguments[6] == "wan" ? .wan : .vpn,
            limit: arguments.count > 7 ? DurationText.parse(arguments[7]) : nil)
        if arguments.count > 8 { settings.remoteLine = .name(arguments[8]) }
        let service = KillSwitchService(
            settings: settings, gate: SpokenGate(broken: arguments[5]),
            logger: Logger(label: "switch") { _ in SwiftLogNoOpLogHandler() })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await service.run() }
            group.addTask {
                for await event in service.events {
                    switch event {
                    case .allowed: say("event allowed")
                    case .online(let reason): say("event online: \(reason)")
                    case .closed(let reason): say("event closed: \(reason)")
                    }
                }
            }
            await endOfInput()
            group.cancelAll()
        }
        say("ended")
    }

    private static func endOfInput() async {
        await withCheckedContinuation { continuation in
            BlockingThread.start(name: "stdin") {
                var byte: UInt8 = 0
                while read(0, &byte, 1) > 0 {}
                continuation.resume()
            }
        }
    }
}

private struct SpokenGate: Gate {
    let broken: String

    func refresh(remote: Bool) throws(SystemError) {
        try refuse("renew the lease")
        say(remote ? "gate open" : "gate online")
    }

    func close() throws(SystemError) {
        try refuse("shut the gate")
        say("gate closed")
    }

    func closeRemote() throws(SystemError) {
        try refuse("shut the gate")
        say("remote closed")
    }

    private func refuse(_ attempted: String) throws(SystemError) {
        guard access(broken, F_OK) == 0 else { return }
        say("gate refused")
        throw SystemError(attempted, code: EPERM)
    }
}

private func say(_ text: String) {
    let line = Array("\(SystemClock().now().nanoseconds) \(text)\n".utf8)
    _ = write(1, line, line.count)
}
