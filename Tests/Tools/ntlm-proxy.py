"""An HTTP proxy that asks for NTLM version 2 (MS-NLMP 3.3.2) and checks the answer: ntlm-proxy ADDRESS PORT USER PASSWORD."""
import base64, hashlib, hmac, os, socket, struct, sys, threading

address, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def md4(data):
    """RFC 1320; OpenSSL 3 has it no more."""
    mask = 0xFFFFFFFF
    roll = lambda x, n: ((x << n) | (x >> (32 - n))) & mask
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    orders = [range(16), [i % 4 * 4 + i // 4 for i in range(16)],
              [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15]]
    shifts = [[3, 7, 11, 19], [3, 5, 9, 13], [3, 9, 11, 15]]
    functions = [lambda x, y, z: (x & y) | (~x & mask & z),
                 lambda x, y, z: (x & y) | (x & z) | (y & z), lambda x, y, z: x ^ y ^ z]
    for begin in range(0, len(padded), 64):
        block = struct.unpack("<16I", padded[begin:begin + 64])
        a, b, c, d = state
        for turn, constant in enumerate((0, 0x5A827999, 0x6ED9EBA1)):
            for step, word in enumerate(orders[turn]):
                value = (a + functions[turn](b, c, d) + block[word] + constant) & mask
                a, b, c, d = d, roll(value, shifts[turn][step % 4]), b, c
        state = [(x + y) & mask for x, y in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


assert md4(b"abc").hex() == "a448017aaf21d8525fc10ae87aa6729d"


def field(message, at):
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset:offset + length]


def is_right(message, challenge):
    response, domain, name = field(message, 20), field(message, 28), field(message, 36)
    # Bit 0 of the flags: the names are UTF-16.
    is_wide = len(message) >= 64 and struct.unpack_from("<I", message, 60)[0] & 1
    words = "utf-16-le" if is_wide else "ascii"
    given = (domain.decode(words) + "\\" if domain else "") + name.decode(words)
    if given.lower() != user.lower() or len(response) < 44:
        return False
    text = name.decode(words).upper() + domain.decode(words)
    key = hmac.new(md4(password.encode("utf-16-le")), text.encode("utf-16-le"), hashlib.md5).digest()
    proof = hmac.new(key, challenge + response[16:], hashlib.md5).digest()
    return hmac.compare_digest(proof, response[:16])


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    challenge, reader = os.urandom(8), client.makefile("rb")
    while True:
        lines = []
        while line := reader.readline(8192).strip():
            lines.append(line.decode("latin-1"))
        if not lines:
            return client.close()
        shown = [l.split()[2] for l in lines if l.lower().startswith("proxy-authorization: ntlm ")]
        message = base64.b64decode(shown[0]) if shown else b""
        kind = struct.unpack_from("<I", message, 8)[0] if message[:8] == b"NTLMSSP\0" else 0
        answer = "NTLM"
        if kind == 1:
            # Type 2: no target, UTF-16 and NTLM2, the challenge, and an empty list of what we are.
            information = bytes(4)
            head = b"NTLMSSP\0" + struct.pack("<IHHII", 2, 0, 0, 56, 0x00880201 | 0x00800000)
            head += challenge + bytes(8) + struct.pack("<HHI", len(information), len(information), 48)
            answer = "NTLM " + base64.b64encode(head + information).decode()
        elif kind == 3 and is_right(message, challenge):
            host, _, number = lines[0].split()[1].rpartition(":")
            server = socket.create_connection((host, int(number)), 10)
            client.sendall(b"HTTP/1.0 200 Connection established\r\n\r\n")
            print("login is right", flush=True)
            threading.Thread(target=pump, args=(server, client), daemon=True).start()
            return pump(client, server)
        elif kind == 3:
            print("login is wrong", flush=True)
        client.sendall(("HTTP/1.0 407 Proxy Authentication Required\r\n"
                        f"Proxy-Authenticate: {answer}\r\nContent-Length: 0\r\n\r\n").encode())


listener = socket.create_server((address, port))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
