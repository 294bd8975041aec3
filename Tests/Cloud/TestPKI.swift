import Base
import Cloud
import Linux
import TestSupport
import Testing

/// A test CA, a broker's and a client's certificate, and the same of a stranger; made with `openssl`.
struct TestPKI {
    let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        let script = """
            cd "$1" || exit 1
            for ca in ca other-ca; do
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                    -subj "/CN=test $ca" -keyout $ca.key -out $ca.pem || exit 1
            done
            sign() { # name, CA, key usage, subject alternative name
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
                    -keyout $1.key -out $1.csr || exit 1
                printf 'extendedKeyUsage=%s\\nsubjectAltName=%s\\n' $3 $4 >$1.ext
                openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 2 \
                    -extfile $1.ext -out $1.pem || exit 1
            }
            sign broker ca serverAuth IP:127.0.0.1,DNS:broker.test
            sign device ca clientAuth DNS:device
            sign stranger other-ca clientAuth DNS:stranger
            """
        let result = try await Command.run(
            ["/bin/sh", "-c", script, "sh", folder.path], timeout: .seconds(30))
        try #require(result.exit.isSuccess, "\(result.error)")
    }

    func path(_ file: String) -> String { folder.path + "/" + file }

    func identity(_ name: String = "device", authority: String = "ca.pem") -> MQTTIdentity {
        MQTTIdentity(
            authority: path(authority), certificate: path(name + ".pem"), key: path(name + ".key"))
    }
}
