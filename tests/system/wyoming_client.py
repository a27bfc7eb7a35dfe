"""Talks to kwsd-wyoming with the client of the protocol's own Python library.

wyoming_client.py URI words              the words that it offers
wyoming_client.py URI hear WAV [NAME...] detections in a recording: "word ms", or "not-detected"
wyoming_client.py URI ping               whether it answers
"""
import asyncio
import sys
import wave

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

FRAMES = 1024


async def words(client):
    await client.write_event(Describe().event())
    info = Info.from_event(await client.read_event())
    assert len(info.wake) == 1 and info.wake[0].installed and info.satellite is None
    for model in info.wake[0].models:
        assert model.installed and model.languages and model.phrase and model.version
        print(model.name)


async def send(client, path, names):
    await client.write_event(Event(type="select-program", data={"name": "kwsd"}))
    await client.write_event(Detect(names=names or None).event())
    with wave.open(path) as f:
        form = {"rate": f.getframerate(), "width": f.getsampwidth(), "channels": f.getnchannels()}
        await client.write_event(AudioStart(**form).event())
        while pcm := f.readframes(FRAMES):
            await client.write_event(AudioChunk(**form, audio=pcm).event())
    await client.write_event(AudioStop().event())
    # the answer to it comes when all audio has been heard
    await client.write_event(Ping(text="end").event())


async def hear(client, path, *names):
    sending = asyncio.create_task(send(client, path, list(names)))
    while event := await client.read_event():
        if Detection.is_type(event.type):
            found = Detection.from_event(event)
            print(found.name, found.timestamp)
        elif Pong.is_type(event.type):
            break
        else:
            print(event.type, event.data.get("code", ""))
            assert NotDetected.is_type(event.type) or event.type == "error"
    await sending


async def ping(client):
    await client.write_event(Ping(text="hello").event())
    assert Pong.from_event(await client.read_event()).text == "hello"
    print("pong")


async def main(uri, what, *args):
    client = AsyncClient.from_uri(uri, connect_timeout=5, read_timeout=20)
    async with client:
        await {"words": words, "hear": hear, "ping": ping}[what](client, *args)


asyncio.run(main(*sys.argv[1:]))
