"""A real Chromium, driven by its DevTools protocol: what the tests of the web page click, drag and look at."""

import base64
import json
import os
import signal
import socket
import subprocess
import tempfile
import time


class WebSocket:
    """As much of RFC 6455 as one client on this machine needs."""

    def __init__(self, port, path, timeout_s=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        if b" 101 " not in self.file.readline():
            raise ConnectionError("the browser refuses a WebSocket")
        while self.file.readline().strip():
            pass

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        n = len(data)
        head = bytes([0x81]) + (bytes([0x80 | n]) if n < 126 else bytes([0xFE]) + n.to_bytes(2, "big") if n < 65536 else bytes([0xFF]) + n.to_bytes(8, "big"))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        whole = b""
        while True:
            first, second = self.file.read(2)
            n = second & 0x7F
            if n >= 126:
                n = int.from_bytes(self.file.read(2 if n == 126 else 8), "big")
            data = self.file.read(n)
            if first & 0x0F in (0, 1, 2):
                whole += data
            if first & 0x80 and first & 0x0F in (0, 1, 2):
                return whole.decode()


class Browser:
    ARGUMENTS = (
        "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
        "--disable-sync --disable-quic --disable-dev-shm-usage --autoplay-policy=no-user-gesture-required --remote-debugging-port=0"
    ).split()

    def __init__(self, program="chromium"):
        self.folder = tempfile.TemporaryDirectory(prefix="kws-browser.", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [program, *self.ARGUMENTS, f"--user-data-dir={self.folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        active = os.path.join(self.folder.name, "DevToolsActivePort")
        until = time.monotonic() + 30
        while not (os.path.exists(active) and open(active).read().count("\n")):
            if time.monotonic() > until or self.process.poll() is not None:
                self.close()
                raise RuntimeError("chromium does not start")
            time.sleep(0.05)
        port, path = open(active).read().split()
        self.id, self.session, self.complaints = 0, None, []
        self.web_socket = WebSocket(int(port), path)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, **params):
        self.id += 1
        message = {"id": self.id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.web_socket.send(json.dumps(message))
        while True:
            said = json.loads(self.web_socket.receive())
            if said.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(said["params"]["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["source"] == "security":
                self.complaints.append(said["params"]["entry"]["text"])
            if said.get("id") == self.id:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']['message']}")
                return said["result"]

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def eval(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", script))
        return result["result"].get("value")

    def wait(self, script, seconds=15):
        until = time.monotonic() + seconds
        while not self.eval(script):
            if time.monotonic() > until:
                raise AssertionError(f"never true: {script}")
            time.sleep(0.05)

    def size(self, width, height, dark=False, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def centre(self, selector):
        box = self.eval(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const b = e.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
        )
        return box[0] + box[2] / 2, box[1] + box[3] / 2, box

    def mouse(self, kind, x, y):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click(self, selector):
        x, y, _ = self.centre(selector)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def drag(self, start, end, steps=8):
        self.mouse("mousePressed", *start)
        for i in range(1, steps + 1):
            self.mouse("mouseMoved", start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        self.mouse("mouseReleased", *end)

    def key(self, key, code=0):
        text = {"Enter": "\r", " ": " "}.get(key, "")
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
