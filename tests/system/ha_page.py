"""The pages of a real Home Assistant in a real Chromium: what a user sees of kwsd-mqtt. Arguments: a folder for
pictures, and what tests/system/ha_mqtt.py answers to `page`."""

import json
import sys
import time

from browser import Browser

# all text of a page of components, whose trees are apart
TEXT = """(() => {
    const of = (node) => node.nodeType === Node.TEXT_NODE ? node.data
        : ["STYLE", "SCRIPT"].includes(node.nodeName) ? ""
        : [...(node.shadowRoot ? node.shadowRoot.childNodes : []), ...node.childNodes].map(of).join(" ");
    return of(document.body).replace(/\\s+/g, " ");
})()"""


def shows(browser, texts, seconds=60):
    until = time.monotonic() + seconds
    while missing := [text for text in texts if text not in browser.eval(TEXT)]:
        if time.monotonic() > until:
            raise AssertionError(f"never shown: {missing}; there is: {browser.eval(TEXT)[:2000]}")
        time.sleep(0.2)


folder, page = sys.argv[1], json.loads(sys.argv[2])
with Browser() as browser:
    browser.size(1280, 1250)
    browser.open(page["address"] + "/manifest.json")  # of the same origin, and asks for no login
    browser.eval(f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(page['tokens']))})")
    browser.open(page["address"] + page["device"])
    shows(browser, ["listening", "yes threshold", "last word", "dBFS"])
    time.sleep(2)  # what is animated comes to rest
    browser.screenshot(folder + "/device.png")
