import Glibc
import Linux

/// What a person needs to look around in a running site, and to break things there.
extension Site {
    /// Writes small commands into the site's directory, and returns what can be done with them.
    ///
    /// `in PLACE [COMMAND…]` runs a command (or a shell) in a place; `daemon` starts the daemon again;
    /// `key` turns the key switch.
    package nonisolated func lookAround() throws -> String {
        try command(
            "in",
            """
            [ $# -gt 0 ] || { echo "usage: $0 PLACE [COMMAND...]" >&2; exit 2; }
            place=$1; shift
            [ $# -gt 0 ] || set -- bash
            PATH=\(programs.folder):$PATH exec \(holder.enterCommand) ip netns exec "$place" "$@"
            """)
        try command(
            "daemon",
            """
            exec "$(dirname "$0")/in" router env LD_PRELOAD=\(programs.fakegpioLibrary) \\
                FAKEGPIO_SOCK=\(keySwitch.socket) drawbridge daemon "$@"
            """)
        try command(
            "key",
            """
            case ${1-} in
            on) level=0 ;;
            off) level=1 ;;
            *) echo "usage: $0 on|off" >&2; exit 2 ;;
            esac
            exec \(programs.fakegpiod) -d \(directory.gpio) -c "line \(KeySwitchLine.name) $level"
            """)
        if access(directory.configurationFile, F_OK) != 0 {
            try directory.write(Self.shippedConfiguration(), to: directory.configurationFile)
        }
        return """
            To look around, open another terminal (as the same user), and then:

              cd \(directory.path)

              ./in router drawbridge status --watch       the router; Ctrl-C ends it
              ./in router drawbridge status --json        … for programs
              ./in router drawbridge firewall show        the firewall's rules
              less log/daemon.log                         what the daemon says

              ./key off                                   the key switch; ./key on
              ./in ispa ip link set router down           pull ISP A's cable; or up
              ./in ispa nft add rule ip isp faults drop   ISP A swallows every packet
              ./in ispa nft flush chain ip isp faults     … and carries them again
              ./in office nmap -n -Pn 10.1.0.2            scan from the company network
              ./in remote drawbridge-site modbus-read 192.168.140.10
                                                          the oven, read through the VPN
              ./in router pkill -9 -f "drawbridge daemon"
                                                          kill the daemon
              ./daemon                                    start it again, in front

            ./in PLACE without a command opens a shell there. The places:
            \(Place.allCases.map(\.rawValue).joined(separator: ", "))

            Ctrl-C here takes it all down.
            """
    }

    private nonisolated func command(_ name: String, _ script: String) throws {
        let path = "\(directory.path)/\(name)"
        try directory.write("#!/bin/sh\n\(script)\n", to: path)
        _ = try check("make \(path) a command") { chmod(path, 0o755) }
    }
}
