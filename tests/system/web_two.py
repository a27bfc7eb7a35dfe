"""Two microphones on one page: web_two.py URL FOLDER. Each has its card, and its switch is for it alone."""

import json
import sys
import time
import urllib.request

from browser import Browser

URL, FOLDER = sys.argv[1], sys.argv[2]


def enabled():
    status = json.load(urllib.request.urlopen(URL + "/status", timeout=10))
    return {listener["name"]: listener["enabled"] for listener in status["listeners"]}


def switch(name):
    return f'button[aria-label="Listening, {name}"]'


with Browser() as b:
    b.size(1280, 1000)
    b.open(URL + "/")
    b.wait("document.querySelectorAll('#microphones > section').length === 2")
    assert b.eval("[...document.querySelectorAll('h2')].map(h => h.textContent).join()") == "kitchen,attic,Heard"
    left, right = (b.eval(f"document.querySelectorAll('#microphones > section')[{i}].getBoundingClientRect().x") for i in (0, 1))
    assert right > left + 300, "two cards are not side by side where there is room"
    for name in ("kitchen", "attic"):
        b.wait(f"microphones.get('{name}').waterfall.columns.length > 20")
        b.wait(f"[...microphones.get('{name}').words.get('').values()].some(word => word.highest > .5)", 30)
    b.wait("new Set([...document.querySelectorAll('#events tbody tr')].map(row => row.cells[6].textContent)).size === 2", 30)
    time.sleep(11 if len(sys.argv) > 3 else 0)
    b.screenshot(FOLDER + "/pictures/two.png")
    b.click(switch("attic"))
    until = time.monotonic() + 10
    while enabled() != {"kitchen": True, "attic": False}:
        assert time.monotonic() < until, enabled()
        time.sleep(0.1)
    b.wait(f"document.querySelector('{switch('attic')}').textContent === 'Off'")
    assert b.eval(f"document.querySelector('{switch('kitchen')}').textContent") == "Listening"
    columns = b.eval("microphones.get('kitchen').waterfall.time")
    b.wait(f"microphones.get('kitchen').waterfall.time > {columns}")
    b.size(390, 844, phone=True)
    time.sleep(0.5)
    assert b.eval("document.documentElement.scrollWidth <= innerWidth"), "wider than a phone"
    assert not b.complaints, b.complaints
