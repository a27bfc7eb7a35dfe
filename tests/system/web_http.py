"""Requests that no browser sends: web_http.py PORT PID. What is wrong is refused, and nobody keeps others waiting."""

import json
import socket
import sys
import time

PORT, PID = int(sys.argv[1]), sys.argv[2]
CLIP = "20261126T060102.345Z-yes-98.wav"


def connect():
    return socket.create_connection(("127.0.0.1", PORT), timeout=10)


def ask(data, wait=3.0):
    """The whole answer to raw bytes; b"": the connection was closed without one."""
    with connect() as s:
        s.settimeout(wait)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass
        whole = b""
        try:
            while piece := s.recv(65536):
                whole += piece
        except (ConnectionResetError, socket.timeout):
            pass
        return whole


def code(data):
    head = ask(data).split(b"\r\n")[0].split()
    return int(head[1]) if len(head) > 1 else 0


def get(path, *headers, method="GET", host="localhost"):
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host else []), "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


def post(path, body, *headers, kind="application/json"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return get(path, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, method="POST") + body


def expect(want, data, what):
    got = code(data)
    if got not in (want if isinstance(want, tuple) else (want,)):
        sys.exit(f"{what}: {got}, want {want}")


def resident_kb():
    return next(int(line.split()[1]) for line in open(f"/proc/{PID}/status") if line.startswith("VmRSS"))


def access():
    expect(200, get("/"), "the page")
    expect(200, get("/status", "Origin: http://localhost"), "same origin")
    expect(403, get("/status", "Origin: http://evil.example.org"), "another origin")
    expect(403, post("/set", {"values": {"threshold.yes": 0.5}}, "Origin: null"), "origin null")
    expect(403, get("/events", "Sec-Fetch-Site: cross-site"), "a script of another site")
    expect(421, get("/", host="evil.example.org"), "another Host")
    expect(400, get("/", host=None), "no Host")
    expect(403, get("/", "X-Forwarded-For: 10.0.0.1"), "through a proxy, without a token")
    expect(404, get("/nothing"), "no such page")
    expect(404, get("/metrics/x"), "below a page")
    expect(405, get("/set"), "GET of what is set")
    expect(405, get("/status", method="DELETE"), "another method")
    expect(405, post("/status", {}), "POST of what is read")
    policy = [line for line in ask(get("/")).split(b"\r\n") if line.lower().startswith(b"content-security-policy")]
    if not policy or b"unsafe" in policy[0]:
        sys.exit(f"policy: {policy}")


def changes():
    expect(200, post("/set", {"values": {"threshold.yes": 0.66}}), "set")
    status = json.loads(ask(get("/status")).split(b"\r\n\r\n", 1)[1])
    if abs(status["listeners"][0]["spotters"][0]["words"]["yes"] - 0.66) > 1e-6:
        sys.exit("the threshold is not in force")
    expect(200, post("/listen", {"on": True}), "listen")
    expect(409, post("/set", {"values": {"threshold.yes": 7}}), "out of range")
    expect(409, post("/set", {"values": {"web.listen": "0.0.0.0:80"}}), "what needs a reload")
    expect(400, post("/listen", {"on": "yes"}), "wrong type")
    expect(400, post("/set", {"values": {}, "request": "reload"}), "another request in the body")
    expect(400, post("/set", b"{"), "no JSON")
    expect(400, post("/set", b"[" * 4000), "deep JSON")
    expect(400, post("/set", b""), "no body")
    expect(413, post("/set", b" " * 5000), "a long body")
    expect(415, post("/set", b'{"values":{"threshold.yes":0.1}}', kind="text/plain"), "a form")
    expect(415, post("/set", b"a=b", kind="application/x-www-form-urlencoded"), "a form")


def clips():
    answer = ask(get("/clips/" + CLIP))
    if not answer.endswith(b"RIFFxxxx") or b"audio/wav" not in answer:
        sys.exit("a clip cannot be had")
    for name in ("../in.raw", "..%2fin.raw", "%2e%2e%2fin.raw", "%252e%252e/in.raw", "/etc/passwd", "%2fetc%2fpasswd", "", ".",
                 "20261126T060102.345Z-link-98.wav", "20261126T060102.345Z-none-98.wav", CLIP + "%00", CLIP + "/", "x" * 3000):
        expect((400, 404), get("/clips/" + name), "/clips/" + name[:40])
    expect((400, 404), get("/../clips/" + CLIP), "above the root")


def heads():
    expect((0, 400, 413, 431), get("/", "X: " + "x" * 100000), "a header of 100 kB")
    expect((0, 400, 413, 431), get("/", *(f"X{i}: {i}" for i in range(20000))), "20000 headers")
    expect((0, 400, 413, 414, 431), get("/" + "x" * 100000), "a path of 100 kB")
    for rubbish in (b"\r\n\r\n", b"\0" * 1000, b"GET", b"GET /\r\n\r\n", b"\xff\xfe" * 500, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        if code(rubbish) == 200:
            sys.exit(f"200 for {rubbish[:20]}")
    expect((0, 400, 413), post("/set", b"x", "Transfer-Encoding: chunked"), "two lengths")
    expect(200, get("/"), "the page after rubbish")


def pages():
    """At most web.pages = 4, and others are answered meanwhile."""
    readers = []
    for _ in range(4):
        s = connect()
        s.sendall(get("/events"))
        if b"200 OK" not in s.recv(4096):
            sys.exit("a page is refused")
        readers.append(s)
    expect(503, get("/events"), "a fifth page")
    expect(200, get("/metrics"), "metrics beside the pages")
    for s in readers:
        s.close()
    until = time.monotonic() + 20
    while code(get("/events", method="HEAD")) != 200:
        if time.monotonic() > until:
            sys.exit("pages that have gone are still counted")
        time.sleep(0.2)


def crowds():
    """Connections that say nothing, or little, or do not read, take bounded memory, and all of them go."""
    before = resident_kb()
    idle = [connect() for _ in range(20)]
    for s in idle[:10]:
        s.sendall(b"GET / HTTP/1.1\r\nHost: loc")
    deaf = [connect() for _ in range(4)]
    for s in deaf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(get("/events"))
    expect(200, get("/metrics"), "metrics beside a crowd")
    for _ in range(300):
        s = connect()
        s.sendall(get("/metrics"))
        s.close()
    expect(200, get("/"), "the page after a crowd")
    for s in idle + deaf:
        s.close()
    for _ in range(200):
        code(get("/"))
    grown = resident_kb() - before
    print(f"resident {before} kB, {grown} kB more after a crowd")
    if grown > 8192:
        sys.exit(f"memory grew by {grown} kB")


for test in (access, changes, clips, heads, pages, crowds):
    test()
    print("ok", test.__name__)
