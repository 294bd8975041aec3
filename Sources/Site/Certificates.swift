import Linux

/// The site's own certificate authority, made afresh: who may be whom.
enum Certificates {
    /// Who gets a certificate: file name, common name, purpose, issuer.
    private static let subjects: [(file: String, name: String, usage: String, authority: String)] =
        [
            ("mqtt", "mqtt.ixon.net", "serverAuth", "ca"),
            ("vpn", "vpn.ixon.net", "serverAuth", "ca"),
            ("device", Site.deviceName, "clientAuth", "ca"),
            ("watcher", "cloud-watcher", "clientAuth", "ca"),
            ("logs", "logs.ixon.net", "serverAuth", "ca"),
            ("enrol", EnrolmentServer.host, "serverAuth", "ca"),
            ("bulk", BulkServer.host, "serverAuth", "ca"),
            // The VPN's server knows only those whose authority is the VPN's own.
            ("technician", "technician", "clientAuth", "vpn-ca"),
            // A session's, for who wants to begin one by hand: good for one.
            ("session", Site.deviceName, "clientAuth", "vpn-ca"),
            // Says it is the device, but its authority is not ours.
            ("stranger", Site.deviceName, "clientAuth", "stranger-ca"),
        ]

    /// Elliptic curve keys, which are made in milliseconds.
    private static let request =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"

    /// Run in the folder of the certificates.
    static var script: String {
        let authorities = ["ca", "vpn-ca", "stranger-ca"].map { name in
            "\(request) -subj '/CN=Site \(name)' -keyout \(name).key -out \(name).pem"
                + " -addext keyUsage=critical,keyCertSign,cRLSign"
        }
        let certificates = subjects.map { file, name, usage, authority in
            "\(request) -subj '/CN=\(name)' -keyout \(file).key -out \(file).pem"
                + " -CA \(authority).pem -CAkey \(authority).key"
                + " -addext basicConstraints=critical,CA:FALSE"
                + " -addext keyUsage=critical,digitalSignature,keyAgreement"
                + " -addext extendedKeyUsage=\(usage) -addext subjectAltName=DNS:\(name)"
        }
        return
            (["set -eu", "umask 077"] + authorities + certificates + [
                "openvpn --genkey tls-crypt tls-crypt.key",
                "cp ca.pem device.pem device.key tls-crypt.key ../etc/pki/",
            ]).joined(separator: "\n")
    }
}
