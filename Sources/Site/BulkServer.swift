/// The cloud's server for blocks: whoever has one of the site's own certificates may put files into its folder, and
/// whatever else a server may answer.
enum BulkServer {
    static let address = "203.0.113.12"
    static let host = "bulk.ixon.net"

    static func arguments(_ directory: SiteDirectory) -> [String] {
        ["python3", "-I", "-u", "-c", program, address, directory.certificates, directory.bulk]
    }

    private static let program = """
        import http.server, os, re, ssl, sys

        address, pki, folder = sys.argv[1:]

        def answer():
            # How it answers, in words of a file: "refuse 503", "cut 1000" (bytes), "stranger"; none: as it should.
            try:
                return open(os.path.join(folder, 'answer')).read().split() or ['']
            except OSError:
                return ['']

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            timeout = 30

            def setup(self):
                self.request.do_handshake()
                super().setup()

            def log_message(self, *words):
                pass

            def reply(self, status, **headers):
                print('answered', status, self.path)
                self.send_response(status)
                self.send_header('Content-Length', 0)
                for name, value in headers.items():
                    self.send_header(name.replace('_', '-'), value)
                self.end_headers()

            def do_PUT(self):
                size = int(self.headers.get('Content-Length') or 0)
                name = re.fullmatch(r'/blocks/([0-9a-f]{32}-[a-z]+-[0-9]{20}\\.block)', self.path)
                subject = dict(part[0] for part in self.connection.getpeercert()['subject'])
                words = answer()
                if words[0] == 'cut':
                    # The connection ends in the middle of the block.
                    self.rfile.read(min(size, int(words[1])))
                    self.close_connection = True
                    print('cut', self.path)
                    return self.connection.close()
                body = self.rfile.read(size)
                if words[0] == 'refuse':
                    return self.reply(int(words[1]))
                if words[0] == 'elsewhere':
                    return self.reply(302, Location='https://192.0.2.66/')
                if not name or not 256 < size < 64 << 20 or len(body) != size:
                    return self.reply(400)
                if self.headers.get('Content-Type') != 'application/vnd.drawbridge.block':
                    return self.reply(415)
                home = os.path.join(folder, subject['commonName'])
                os.makedirs(home, exist_ok=True)
                file = os.path.join(home, name[1])
                if os.path.exists(file):
                    same = open(file, 'rb').read() == body
                    return self.reply(409 if same else 500)
                with open(file + '.part', 'wb') as part:
                    part.write(body)
                os.rename(file + '.part', file)
                if words[0] == 'forget':
                    # It has the block, and its answer is lost.
                    print('kept silently', self.path)
                    self.close_connection = True
                    return self.connection.close()
                self.reply(201)

        class Server(http.server.ThreadingHTTPServer):
            # The handshake waits in the thread of its connection, so that nobody holds up the others.
            def get_request(self):
                plain, peer = super().get_request()
                plain.settimeout(10)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                # Another host's certificate, of the same authority.
                who = 'enrol' if answer()[0] == 'stranger' else 'bulk'
                context.load_cert_chain(os.path.join(pki, who + '.pem'), os.path.join(pki, who + '.key'))
                context.load_verify_locations(os.path.join(pki, 'ca.pem'))
                context.verify_mode = ssl.CERT_REQUIRED
                return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), peer

            def handle_error(self, request, peer):
                print('failed', sys.exc_info()[1])

        server = Server((address, 443), Handler)
        print('listening')
        server.serve_forever()
        """
}
