#!/usr/bin/env python3
"""The same samples in another store: rival.py sqlite|redis|rocksdb DIRECTORY SECONDS.

1000 samples a commit, each commit durable before the next; prints the figures that store.sh reads.
"""
import os, random, resource, socket, sqlite3, struct, subprocess, sys, time

name, directory, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])
TAGS = 1000
rng = random.Random(42)
state = [float(n % 50) for n in range(TAGS)]


def poll(second):
    now = 1_790_000_000_000 + second * 1000
    rows = []
    for n in range(TAGS):
        if n % 4 == 0 and rng.random() < 0.25:
            state[n] += rng.choice((-0.1, 0.1))
        elif n % 4 == 1:
            state[n] += 1
        rows.append((now, n, round(state[n], 1)))
    return rows


def cpu(pid=None):
    if pid:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run(commit, pid=None):
    wall = spent = 0.0
    for second in range(seconds):
        rows = poll(second)
        begun, before = time.monotonic(), cpu(pid)
        commit(rows)
        wall += time.monotonic() - begun
        spent += cpu(pid) - before
    return wall, max(spent, 0.001)


def sqlite():
    base = sqlite3.connect(directory + "/samples.db", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE sample (id INTEGER PRIMARY KEY, time INTEGER, tag INTEGER, value REAL)")

    def commit(rows):
        base.execute("BEGIN")
        base.executemany("INSERT INTO sample (time, tag, value) VALUES (?, ?, ?)", rows)
        base.execute("COMMIT")

    figures = run(commit)
    base.close()
    return figures


def redis():
    path = directory + "/redis.sock"
    server = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--dir", directory, "--save", "",
         "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        link = socket.socket(socket.AF_UNIX)
        link.connect(path)

        def command(*words):
            return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)

        def commit(rows):
            # One transaction, so that its one write to the log is synced once.
            text = command(b"MULTI") + b"".join(
                command(b"XADD", b"s", b"*", b"t", b"%d" % tag, b"v", b"%.1f" % value)
                for _, tag, value in rows) + command(b"EXEC")
            link.sendall(text)
            seen = b""
            while seen.count(b"\r\n") < 2 + TAGS + 2 * TAGS or not seen.endswith(b"\r\n"):
                seen += link.recv(1 << 20)

        return run(commit, server.pid)
    finally:
        server.terminate()
        server.wait()


def rocksdb():
    from rocksdict import Rdict, Options, WriteBatch, WriteOptions, DBCompressionType
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_compression_type(DBCompressionType.zstd())
    base = Rdict(directory + "/rocks", options)
    durable = WriteOptions()
    durable.sync = True
    sequence = 0

    def commit(rows):
        nonlocal sequence
        batch = WriteBatch(raw_mode=True)
        for now, tag, value in rows:
            sequence += 1
            batch.put(struct.pack(">Q", sequence), struct.pack("<qHd", now, tag, value))
        base.write(batch, durable)

    figures = run(commit)
    base.flush()
    base.close()
    return figures


wall, spent = {"sqlite": sqlite, "redis": redis, "rocksdb": rocksdb}[name]()
stored = 0
for folder, _, files in os.walk(directory):
    for file in files:
        path = os.path.join(folder, file)
        if not os.path.exists(path) or file.endswith(".sock"):
            continue
        stored += os.path.getsize(path)
print(f"samples {seconds * TAGS} stored {stored} wall {wall} cpu {spent}")
