import Linux

/// The server that tells a free network from one with a login page, and such a page.
enum LoginPage {
    static let checkHost = "connectivity.example"
    static let host = "login.hotel.example"

    /// Answers each request for `/generate_204`.
    static let checkServer = program(
        "203.0.113.10", 80, "204 No Content\\r\\nX-Check: yes")
    /// Sends everybody to the login.
    static let server = program("0.0.0.0", 8080, "302 Found\\r\\nLocation: http://\(host)/in?u=1")

    private static func program(_ address: String, _ port: Int, _ head: String) -> [String] {
        [
            "python3", "-I", "-u", "-c",
            """
            import socketserver
            class Handler(socketserver.BaseRequestHandler):
                def handle(self):
                    self.request.settimeout(5)
                    asked = self.request.recv(4096).split(b'\\r\\n')[0]
                    print(asked)
                    self.request.sendall(b'HTTP/1.1 \(head)\\r\\nContent-Length: 0\\r\\n\\r\\n')
            class Server(socketserver.ThreadingTCPServer):
                allow_reuse_address = True
            print('listening')
            Server(('\(address)', \(port)), Handler).serve_forever()
            """,
        ]
    }

    /// The provider, whatever its customers are connected to, passes pings and names; web pages are its own, and the rest goes nowhere.
    static let rules = """
        table ip portal {
            chain prerouting {
                type nat hook prerouting priority -100; policy accept;
                iifname != "wan" tcp dport 80 redirect to :8080
            }
            chain forward {
                type filter hook forward priority -290; policy accept;
                iifname != "wan" meta l4proto tcp drop
            }
        }

        """
    /// Whoever asks for a name is told the provider's own address.
    static let liar = """
        table ip portal {
            chain prerouting {
                type nat hook prerouting priority -100; policy accept;
                iifname != "wan" udp dport 53 redirect to :5353
            }
        }

        """
    static let liarServer = [
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
        "--port=5353", "--address=/#/10.2.0.1",
    ]
}

extension Site {
    /// Starts the server that is asked by `captive-check = "http://connectivity.example/generate_204"`.
    package func answerChecks() async throws {
        let part = try startBackground(in: .cloud, name: "check", LoginPage.checkServer)
        try await part.waitUntilReady(saying: "listening", within: .seconds(10))
    }

    /// From now on a provider leads to its login page only.
    package func wantLogin(_ isp: ISP) async throws {
        let part = try startBackground(in: isp.place, name: "login", LoginPage.server)
        try await part.waitUntilReady(saying: "listening", within: .seconds(10))
        try await output(in: isp.place, ["nft", "-f", "-"], input: LoginPage.rules)
    }

    /// From now on a provider answers for all names.
    package func lieAboutNames(_ isp: ISP) async throws {
        let part = try startBackground(in: isp.place, name: "liar", LoginPage.liarServer)
        try await part.waitUntilReady(saying: "started, version", within: .seconds(10))
        try await output(in: isp.place, ["nft", "-f", "-"], input: LoginPage.liar)
    }

    /// Somebody has logged in.
    package func logIn(_ isp: ISP) async throws {
        try await output(in: isp.place, ["nft", "delete table ip portal"])
    }
}
