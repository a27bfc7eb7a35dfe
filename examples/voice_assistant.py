#!/usr/bin/env python3
"""Start linux-voice-assistant when kwsd hears a word.

    kws ctl events --json --follow | ./voice_assistant.py WORD... [--url ws://127.0.0.1:6055]

It reads events of kwsd as lines of JSON and, for each of these words, sends the command start_listening to the peripheral API of
linux-voice-assistant. If the assistant is away, the word is told on standard error, and the next word tries again. Needs
python3-websockets. Exit status: 0 at the end of the events, 2 for wrong arguments.

The peripheral API has no password. Start the assistant with --peripheral-host 127.0.0.1, so that only this machine can use it.
"""
import argparse
import asyncio
import json
import sys

import websockets

PATIENCE_S = 5


def said(line):
    """The word of an event, or None: the line is something else."""
    try:
        message = json.loads(line)
        return message["event"]["word"]
    except (ValueError, KeyError, TypeError):
        return None


async def start(url):
    """Ask the assistant to listen, as if its button were pressed."""
    async with websockets.connect(url, open_timeout=PATIENCE_S, close_timeout=PATIENCE_S) as assistant:
        await assistant.send(json.dumps({"command": "start_listening"}))


def main():
    p = argparse.ArgumentParser(description="Start linux-voice-assistant when kwsd hears a word.")
    p.add_argument("word", nargs="+", help="a word that starts it")
    p.add_argument("--url", default="ws://127.0.0.1:6055", help="its peripheral API (default: %(default)s)")
    o = p.parse_args()
    for line in sys.stdin:
        word = said(line)
        if word not in o.word:
            continue
        try:
            asyncio.run(start(o.url))
            print(f"{word}: the assistant listens", flush=True)
        except (OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException) as e:
            print(f"{word}: {o.url}: {e}", file=sys.stderr)


if __name__ == "__main__":
    main()
