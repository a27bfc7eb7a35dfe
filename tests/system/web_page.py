"""The page as a user has it: web_page.py URL FOLDER PID-OF-KWSD. Mouse, keyboard alone, both themes, a phone, and a
daemon that dies; pictures go to FOLDER/pictures."""

import json
import os
import signal
import sys
import time
import urllib.request

from browser import Browser

URL, FOLDER, KWSD = sys.argv[1], sys.argv[2], int(sys.argv[3])


def status():
    return json.load(urllib.request.urlopen(URL + "/status", timeout=10))


def threshold(word):
    return status()["listeners"][0]["spotters"][0]["words"][word]


def until(what, holds, seconds=15):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.1)


def handle(word):
    return f'input[aria-label="Threshold of {word}"]'


def value(b, word):
    return float(b.eval(f"document.querySelector({json.dumps(handle(word))}).value"))


def lives(b):
    b.open(URL + "/")
    b.wait("document.querySelector('#state').textContent === 'Live'")
    b.wait("document.querySelectorAll('.words input').length === 10")
    b.wait("document.querySelectorAll('#events tbody tr:not(.near)').length >= 2", 30)
    b.wait("[...document.querySelectorAll('.bar .fill')].some(fill => parseFloat(fill.style.width) > 50)", 30)
    columns = "microphones.get('').waterfall.columns.length"
    before = b.eval(columns)
    b.wait(f"{columns} > {before}")
    drawn = (
        "(() => { const c = document.querySelector('canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " const seen = new Set(); for (let i = 0; i < d.length; i += 4 * 97) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return seen.size; })()"
    )
    assert b.eval(drawn) > 20, "the waterfall is empty"
    b.wait("microphones.get('').waterfall.words.length > 0", 30)
    b.wait("document.querySelector('#said').textContent.includes('heard, score')")  # a screen reader is told


def mouse(b):
    """A handle is dragged: the daemon has the threshold, and a second page shows it."""
    x, y, (left, _, width, _) = b.centre(handle("yes"))
    inner = (left + 9, width - 18)
    at = inner[0] + inner[1] * value(b, "yes")
    b.drag((at, y), (inner[0] + inner[1] * 0.4, y))
    until("the drag did not reach the daemon", lambda: abs(threshold("yes") - 0.4) < 0.03)
    assert abs(value(b, "yes") - threshold("yes")) < 1e-6
    assert "threshold.yes" in b.eval("microphones.get('').words.get('').get('yes').key")
    until("nothing was kept", lambda: os.path.exists(FOLDER + "/kept.conf") and "yes" in open(FOLDER + "/kept.conf").read())
    # what others change is shown
    data = json.dumps({"values": {"threshold.no": 0.31}}).encode()
    urllib.request.urlopen(urllib.request.Request(URL + "/set", data, {"Content-Type": "application/json"}), timeout=10)
    until("a change by others is not shown", lambda: abs(value(b, "no") - 0.31) < 1e-6)
    # a word off and on: first with the threshold that it had, then, in a page that has not seen it, with the model's
    word = 'button[aria-label="Listen for left"]'
    was = threshold("left")
    b.eval("microphones.get('').words.get('').get('left').set(0.77)")
    until("0.77 did not reach the daemon", lambda: threshold("left") == 0.77)
    b.wait(f"document.querySelector('{word}').getAttribute('aria-pressed') === 'true'")
    b.click(word)
    until("a word is not off", lambda: threshold("left") is None)
    b.wait(f"document.querySelector('{word}').getAttribute('aria-pressed') === 'false'")
    b.wait(f"document.querySelector('{handle('left')}').getAttribute('aria-valuetext') === 'off'")
    b.click(word)
    until("a word is not on again", lambda: threshold("left") == 0.77)
    b.wait(f"document.querySelector('{word}').getAttribute('aria-pressed') === 'true'")
    b.click(word)
    until("a word is not off", lambda: threshold("left") is None)
    b.open(URL + "/")
    b.wait(f"document.querySelector('{word}')?.getAttribute('aria-pressed') === 'false'")
    b.click(word)
    until("the model's threshold is not back", lambda: threshold("left") == was)
    b.wait(f"document.querySelector('{word}').getAttribute('aria-pressed') === 'true'")
    b.wait(f"Math.abs(document.querySelector('{handle('left')}').value - {was}) < 0.006")
    # the microphone off and on
    button = "button[role=switch]"
    b.click(button)
    until("off did not reach the daemon", lambda: status()["listeners"][0]["enabled"] is False)
    b.wait(f"document.querySelector('{button}').getAttribute('aria-checked') === 'false'")
    b.click(button)
    until("on did not reach the daemon", lambda: status()["listeners"][0]["enabled"] is True)
    b.wait(f"document.querySelector('{button}').getAttribute('aria-checked') === 'true'")


def refusal(b):
    """What the daemon refuses is said, and the page shows what is in force."""
    was = threshold("go")
    b.eval("microphones.get('').words.get('').get('go').set(7)")
    b.wait("document.querySelector('#problem').textContent.includes('7 is not in 0..1')")
    assert threshold("go") == was and abs(value(b, "go") - was) < 1e-6
    b.eval("microphones.get('').words.get('').get('go').set(0.5)")
    b.wait("document.querySelector('#problem').textContent === ''")


def keyboard(b):
    """All controls by Tab, Space and arrows; each has a name."""
    b.open(URL + "/")
    b.wait("document.querySelectorAll('.words input').length === 10")
    name = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || document.activeElement.parentNode.textContent"
    seen = []
    for _ in range(28):
        b.key("Tab", 9)
        seen.append(b.eval(name).strip())
        if seen[-1] == "Listening, Microphone":
            b.key(" ", 32)
            until("Space did not turn it off", lambda: status()["listeners"][0]["enabled"] is False)
            b.key(" ", 32)
            until("Space did not turn it on", lambda: status()["listeners"][0]["enabled"] is True)
        if seen[-1] == "Listen for down":
            b.key(" ", 32)
            until("Space did not turn a word off", lambda: threshold("down") is None)
            b.key("Enter", 13)
            until("Enter did not turn it on", lambda: threshold("down") is not None)
        if seen[-1] == "Threshold of up":
            before = threshold("up")
            for _ in range(3):
                b.key("ArrowLeft", 37)
            until("arrows do not set", lambda want=before - 0.03: abs(threshold("up") - want) < 1e-6)
            assert b.eval("document.activeElement.getAttribute('aria-valuetext')") == f"{before - 0.03:.2f}"
    for want in ("Keep changes after a restart", "Listening, Microphone", "Listen for yes", "Threshold of yes", "Threshold of go", "Near misses"):
        assert want in seen, f"Tab does not reach {want}: {seen}"
    nodes = b.call("Accessibility.getFullAXTree")["nodes"]
    for role in ("slider", "switch", "checkbox", "button", "meter", "image"):
        of = [n for n in nodes if n.get("role", {}).get("value") == role]
        assert of, f"no {role}"
        assert all(n.get("name", {}).get("value") for n in of), f"a {role} without a name"


def clip(b):
    """The button plays a clip that the daemon has written."""
    b.wait("document.querySelector('#events button') !== null", 30)
    b.eval("document.querySelector('#player').addEventListener('playing', () => { window.played = true; })")

    def plays():
        b.click("#events button")
        time.sleep(0.5)
        return b.eval("window.played === true")

    until("no clip is played", plays)  # it is written some time after its word


def pictures(b):
    for name, width, height, dark, phone in (("light", 1200, 1250, False, False), ("dark", 1200, 1250, True, False), ("phone", 390, 844, True, True)):
        b.size(width, height, dark, phone)
        time.sleep(1)
        assert b.eval("document.documentElement.scrollWidth <= innerWidth"), f"{name}: wider than the screen"
        b.eval("scrollTo(0, 0)")
        b.screenshot(f"{FOLDER}/pictures/{name}.png")
        colour = b.eval("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(",")
        assert (int(colour[0]) < 100) == dark, f"{name}: {colour}"


def death(b):
    """The daemon dies: the page says so. It comes back: so does the page, by itself."""
    os.kill(KWSD, signal.SIGKILL)
    b.wait("document.querySelector('#state').textContent === 'kwsd does not answer'")
    open(FOLDER + "/dead", "w").close()
    b.wait("document.querySelector('#state').textContent === 'Live'", 30)
    before = b.eval("microphones.get('').waterfall.time")
    b.wait(f"microphones.get('').waterfall.time !== {before}")
    # and what kws doctor would say of the new sound is there
    b.wait("document.querySelector('.advice').textContent.startsWith('if somebody spoke: very quiet')")


with Browser() as browser:
    browser.size(1200, 1250)
    for step in (lives, mouse, refusal, keyboard, clip, pictures, death):
        step(browser)
        print("ok", step.__name__, flush=True)
    assert not browser.complaints, browser.complaints
