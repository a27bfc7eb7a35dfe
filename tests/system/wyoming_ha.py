"""Home Assistant's own Wyoming code against kwsd-wyoming at 127.0.0.1: PORT RECORDING WORD.

The recording is headerless, 16 bit, 16 kHz, mono. Prints the service, its words, and what is detected without and with
a wanted word.
"""
import asyncio
import sys

from homeassistant.components.wyoming import data
from homeassistant.components.wyoming.wake_word import WyomingWakeWordProvider


class Entry:
    entry_id = "kwsd"


async def audio(pcm):
    """As Home Assistant cuts it: 10 ms at a time, with timestamps in milliseconds. Behind the recording, a microphone that goes
    on for ten seconds: Home Assistant asks no more once the audio has ended."""
    for n in range(len(pcm) // 320 + 1000):
        chunk = pcm[n * 320 : n * 320 + 320]
        yield chunk.ljust(320, b"\0"), n * 10
        await asyncio.sleep(0 if chunk else 0.01)


async def main(port, path, word):
    service = await data.WyomingService.create("127.0.0.1", int(port))
    assert service is not None, "cannot connect"
    print("service", service.get_name(), *(p.value for p in service.platforms))
    provider = WyomingWakeWordProvider(None, Entry(), None, service)
    words = await provider.get_supported_wake_words()
    print("words", *(w.id for w in words))
    assert all(w.phrase for w in words)
    with open(path, "rb") as f:
        pcm = f.read()
    for wanted in None, word, word:
        found = await provider._async_process_audio_stream(audio(pcm), wanted)
        assert found, f"nothing detected, wanted: {wanted}"
        print(wanted or "any", found.wake_word_id, found.timestamp)


asyncio.run(main(*sys.argv[1:]))
