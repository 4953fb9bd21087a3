#!/usr/bin/env python3
"""network_test.py - runs echo, scan and http against servers and clients of its own, on ports that the system chooses.

usage: network_test.py echo|scan|http PROGRAM. Compares what the program prints with what it should print.
"""
import os
import signal
import socket
import subprocess
import sys
import threading

LIMIT = 60  # seconds; nothing here waits for the time


def expect(got, wanted, what):
    if got != wanted:
        sys.exit(f"{what}: got\n{got!r}\ninstead of\n{wanted!r}")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    # Warnings are let pass: a busy machine makes turns look long, and each such report has a line a frame.
    lines = [line for line in done.stderr.splitlines(True) if not line.startswith("cede: warning: ")]
    return done.returncode, done.stdout, "".join(lines)


# ---- echo ----

def test_echo(program):
    server = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        port = int(line.rpartition(":")[2])
        expect(line, f"listening on 127.0.0.1:{port}\n", "the first line")
        clients = [socket.create_connection(("127.0.0.1", port), LIMIT) for _ in range(50)]
        for number, client in enumerate(clients):
            client.sendall(b"%d says hello" % number)
        for number, client in enumerate(clients):
            wanted = b"%d says hello" % number
            expect(receive(client, len(wanted)), wanted, f"client {number}")
        big = bytes(range(256)) * 4096
        sender = threading.Thread(target=clients[0].sendall, args=(big,))
        sender.start()
        expect(receive(clients[0], len(big)) == big, True, "a megabyte")
        sender.join()
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            expect(client.recv(1), b"", "the end")
            client.close()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(LIMIT)


def receive(client, size):
    parts = b""
    while len(parts) < size:
        part = client.recv(size - len(parts))
        if not part:
            break
        parts += part
    return parts


# ---- scan ----

def test_scan(program):
    # An address of the loopback network that nobody else listens at: who is scanned is disturbed.
    own = f"127.{64 + os.getpid() // 65536 % 64}.{os.getpid() // 256 % 256}.{os.getpid() % 254 + 1}"
    listeners = [socket.create_server((own, 0)) for _ in range(5)]
    ports = sorted(listener.getsockname()[1] for listener in listeners)
    status, out, err = run(program, own, str(ports[0]), str(ports[-1]))
    expect((status, err), (0, ""), "a scan")
    lines = out.splitlines()
    # Other programs of this machine may listen at all addresses.
    found = {int(line.split()[1]) for line in lines[:-1]}
    expect(set(ports) - found, set(), "ports that were not found")
    total = ports[-1] - ports[0] + 1
    expect(lines[-1], f"{len(found)} of {total} ports open, 0 silent, 0 unreachable", "the last line")
    for listener in listeners:
        listener.close()
    status, out, err = run(program, own, str(ports[0]), str(ports[0]))
    expect((status, out), (0, "0 of 1 ports open, 0 silent, 0 unreachable\n"), "a closed port")
    status, out, err = run(program, own, "9", "1")
    expect((status, "usage: scan" in err), (1, True), "a wrong range")
    status, out, err = run(program, "nowhere")
    expect((status, "CEDE_EINVAL" in err), (1, True), "a wrong address")


# ---- http ----

ANSWERS = {
    "/length": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Other: a: b\r\n\r\nhello\n",
    "/chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
               b"4\r\none,\r\nB;note=x\r\n two, three\r\n1\r\n\n\r\n0\r\nTrailer: 1\r\n\r\n",
    "/missing": b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnone\n",
    "/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbye\n",
    "/end": b"HTTP/1.0 200 OK\r\n\r\nup to the end\n",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    "/chunkcut": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "/chunkbad": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "/chunklong": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
    "/lengthbad": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "/nocolon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "/other": b"SSH-2.0-Other\r\n",
    "/longline": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000 + b"\r\n\r\n",
}
CLOSES = {"/close", "/end", "/cut", "/chunkcut"}


def request_read(reader):
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        try:
            line = reader.readline()
        except ConnectionResetError:  # a client that had not read all that we wrote
            return b""
        if not line:
            return b""
        request += line
    return request


def http_serve(listener, seen):
    """One connection after the other; a list of the paths of each is added to `seen`. Ends with a request for /quit."""
    while True:
        client, _ = listener.accept()
        paths = []
        seen.append(paths)
        reader = client.makefile("rb")
        while True:
            request = request_read(reader)
            if not request:
                break
            path = request.split()[1].decode()
            if path == "/quit":
                client.close()
                return
            paths.append(path)
            answer = ANSWERS[path]
            # In two parts, so that the client meets the answer in the middle of a line.
            client.sendall(answer[:len(answer) // 2])
            client.sendall(answer[len(answer) // 2:])
            if path in CLOSES:
                break
        reader.close()
        client.close()


def test_http(program):
    listener = socket.create_server(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
    seen = []
    server = threading.Thread(target=http_serve, args=(listener, seen), daemon=True)
    server.start()
    paths = ["/length", "/chunks", "/missing", "/empty", "/close", "/length", "/end"]
    status, out, err = run(program, "127.0.0.1", port, *paths)
    expect((status, err), (0, ""), "a session")
    expect(out, "/length: 200\nhello\n/chunks: 200\none, two, three\n/missing: 404\nnone\n/empty: 204\n"
           "/close: 200\nbye\n/length: 200\nhello\n/end: 200\nup to the end\n", "its output")
    expect(seen, [paths[:5], paths[5:]], "what each connection was used for")
    for path, complaint in {
            "/cut": "the body is not complete: closed", "/chunkcut": "the body is not complete: closed",
            "/chunkbad": "the size of a chunk: the peer broke", "/chunklong": "longer than it says: the peer broke",
            "/lengthbad": "Content-Length is no number", "/nocolon": "a header without a colon",
            "/other": "no HTTP/1 server", "/longline": "a header: larger than allowed"}.items():
        status, out, err = run(program, "127.0.0.1", port, path, "/length")
        expect((status, "http: " in err and complaint in err), (1, True), f"{path}: {err}")
    with socket.create_connection(("127.0.0.1", int(port))) as last:
        last.sendall(b"GET /quit HTTP/1.1\r\n\r\n")
        server.join(LIMIT)
    listener.close()
    status, out, err = run(program, "127.0.0.1", port, "/length")
    expect((status, "nobody listens" in err), (1, True), "a server that is gone")
    status, out, err = run(program, "127.0.0.1", port)
    expect((status, "usage: http" in err), (1, True), "no path")


def main():
    tests = {"echo": test_echo, "scan": test_scan, "http": test_http}
    if len(sys.argv) != 3 or sys.argv[1] not in tests:
        sys.exit(__doc__)
    os.environ.setdefault("CEDE_WORKERS", "2")
    tests[sys.argv[1]](sys.argv[2])


if __name__ == "__main__":
    main()
