/// The cloud's enrolment server (EST, RFC 7030 §4.2): a certificate for one session to whoever has one of the site's
/// own, and whatever else a server may answer.
enum EnrolmentServer {
    static let address = "203.0.113.11"
    static let host = "enrol.ixon.net"

    static func arguments(_ directory: SiteDirectory) -> [String] {
        ["python3", "-I", "-u", "-c", program, address, directory.certificates, directory.vpn]
    }

    /// What the OpenVPN server runs for each new session: a certificate serves one, the technician's excepted.
    /// Its list is what a test reads.
    static func admission(_ directory: SiteDirectory) -> String {
        """
        #!/bin/sh
        sessions=\(directory.vpn)/sessions
        if [ "$common_name" != technician ] && grep -q " $tls_serial_hex_0 admitted$" "$sessions"; then
            echo "$common_name $tls_serial_hex_0 refused" >> "$sessions"
            exit 1
        fi
        echo "$common_name $tls_serial_hex_0 admitted" >> "$sessions"
        """
    }

    private static let program = """
        import base64, datetime, http.server, os, ssl, sys, time
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.serialization import pkcs7
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        address, pki, folder = sys.argv[1:]
        read = lambda name: open(os.path.join(pki, name), 'rb').read()
        authority = x509.load_pem_x509_certificate(read('vpn-ca.pem'))
        signer = serialization.load_pem_private_key(read('vpn-ca.key'), None)

        def answers():
            # How it answers, in words of a file: "forbid", "later 3", "seconds 20" …; none: as it should.
            try:
                return open(os.path.join(folder, 'enrolment')).read().split()
            except OSError:
                return []

        def issue(key, name, seconds, begin=0):
            now = datetime.datetime.utcnow() + datetime.timedelta(seconds=begin)
            serial = x509.random_serial_number()
            print('issued %x to %s' % (serial, name))
            return (x509.CertificateBuilder()
                .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
                .issuer_name(authority.subject).public_key(key).serial_number(serial)
                .not_valid_before(now - datetime.timedelta(minutes=5))
                .not_valid_after(now + datetime.timedelta(seconds=seconds))
                .add_extension(x509.BasicConstraints(False, None), True)
                .add_extension(x509.KeyUsage(True, *[False] * 8), True)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
                .sign(signer, hashes.SHA256()))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            timeout = 30

            def setup(self):
                self.request.do_handshake()
                super().setup()

            def log_message(self, *words):
                pass

            def reply(self, status, body=b'', type='text/plain', **headers):
                print('answered', status)
                self.send_response(status)
                self.send_header('Content-Type', type)
                self.send_header('Content-Length', len(body))
                for name, value in headers.items():
                    self.send_header(name.replace('_', '-'), value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                subject = dict(part[0] for part in self.connection.getpeercert()['subject'])
                size = int(self.headers.get('Content-Length') or 0)
                if self.path != '/.well-known/est/simpleenroll':
                    return self.reply(404)
                if not 0 < size <= 16384 or self.headers.get('Content-Type') != 'application/pkcs10':
                    return self.reply(400)
                try:
                    request = x509.load_der_x509_csr(base64.b64decode(self.rfile.read(size)))
                except ValueError:
                    return self.reply(400)
                names = [n.value for n in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
                if not request.is_signature_valid or names != [subject['commonName']]:
                    return self.reply(400)
                key = request.public_key()
                print('request', hash(key.public_numbers()))
                words = answers()
                word, number = (words + ['', ''])[0], int((words + ['', '0'])[1] if len(words) > 1 else 0)
                if word == 'refuse':
                    return self.reply(number)
                if word == 'later':
                    return self.reply(202, Retry_After=str(number))
                if word == 'hang':
                    return time.sleep(number)
                if word == 'garbage':
                    return self.reply(200, os.urandom(2000), 'application/pkcs7-mime')
                if word == 'endless':
                    return self.reply(200, b'A' * 10000000, 'application/pkcs7-mime')
                if word == 'page':
                    return self.reply(200, b'<html>Please log in</html>', 'text/html')
                if word == 'elsewhere':
                    return self.reply(302, Location='https://192.0.2.66/')
                if word == 'other-key':
                    key = authority.public_key()
                begin = number if word == 'begin' else 0
                certificate = issue(key, names[0], number if word == 'seconds' else 3600, begin)
                body = pkcs7.serialize_certificates([certificate], serialization.Encoding.DER)
                self.reply(200, base64.encodebytes(body), 'application/pkcs7-mime; smime-type=certs-only',
                    Content_Transfer_Encoding='base64')

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(os.path.join(pki, 'enrol.pem'), os.path.join(pki, 'enrol.key'))
        context.load_verify_locations(os.path.join(pki, 'ca.pem'))
        context.verify_mode = ssl.CERT_REQUIRED

        class Server(http.server.ThreadingHTTPServer):
            # The handshake waits in the thread of its connection, so that nobody holds up the others.
            def get_request(self):
                plain, peer = super().get_request()
                plain.settimeout(10)
                return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), peer

            def handle_error(self, request, peer):
                print('failed', sys.exc_info()[1])

        server = Server((address, 443), Handler)
        print('listening')
        server.serve_forever()
        """
}
