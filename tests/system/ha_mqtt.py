"""A real Home Assistant against a real broker: what kwsd-mqtt publishes is taken, works and vanishes.

Runs inside the root that KWS_HA_ROOT names; tests/system/mqtt_ha.sh copies it there. Arguments: a folder, the
broker's port. Reads commands from standard input, one a line, and answers each with a line of JSON:
    schema FILE              the document through Home Assistant's own schemas; how many of each kind
    entities                 the entities of the broker with their states and attributes
    device                   the device
    triggers                 its triggers, as the editor of automations offers them
    attach                   an automation on the trigger "yes said"
    fired                    how often it ran, and with what
    automations FILE         those of a file; light.turn_on only counts
    lights                   how often a light was turned on
    call DOMAIN SERVICE ID [KEY=VALUE]...
    page                     starts the user interface, where home-assistant-frontend is installed; its address, the
                             device's page, and what a browser that has logged in keeps
    quit
"""

import asyncio
import json
import pathlib
import sys

import yaml
from homeassistant import auth, bootstrap, config_entries, core, loader, setup
from homeassistant.components.http import config as http_config
from homeassistant.components.mqtt import device_trigger, discovery, event, number, schemas, sensor, switch
from homeassistant.components.onboarding import const as onboarding
from homeassistant.helpers import device_registry, entity_registry

SCHEMAS = {
    "event": event.DISCOVERY_SCHEMA,
    "number": number.DISCOVERY_SCHEMA,
    "switch": switch.DISCOVERY_SCHEMA,
    "sensor": sensor.DISCOVERY_SCHEMA,
    "device_automation": device_trigger.TRIGGER_DISCOVERY_SCHEMA,
}


def check_document(document):
    """Every component through the schema of its platform; an exception says what is wrong."""
    discovery._replace_all_abbreviations(document)
    schemas.DEVICE_DISCOVERY_SCHEMA(document)
    counts = {}
    for component in document["components"].values():
        component = dict(component)
        platform = component.pop("platform")
        counts[platform] = counts.get(platform, 0) + 1
        if not component:
            continue
        component["device"] = document["device"]
        component["origin"] = document["origin"]
        component.setdefault("availability_topic", document["availability_topic"])
        if platform == "device_automation":
            del component["availability_topic"]
        SCHEMAS[platform](component)
    return counts


def write_storage(storage, key, data, version=1, minor=1):
    text = json.dumps({"version": version, "minor_version": minor, "key": key, "data": data})
    (storage / key).write_text(text)


def write_configuration(folder, port):
    """The broker, as if a user had entered it."""
    storage = folder / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.yaml").write_text("")
    entry = {
        "entry_id": "kwsd",
        "version": 2,
        "minor_version": 1,
        "domain": "mqtt",
        "title": "broker",
        "source": "user",
        "unique_id": None,
        "data": {"broker": "127.0.0.1", "port": port},
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "disabled_by": None,
        "discovery_keys": {},
        "subentries": [],
        "created_at": "2026-01-01T00:00:00+00:00",
        "modified_at": "2026-01-01T00:00:00+00:00",
    }
    write_storage(storage, "core.config_entries", {"entries": [entry]}, minor=5)
    write_storage(storage, "onboarding", {"done": list(onboarding.STEPS)}, version=4)


class House:
    """Home Assistant, and an automation of our own: a listener on the device trigger "said yes"."""

    def __init__(self, hass, address):
        self.hass = hass
        self.address = address
        self.fired = 0
        self.last = None
        self.lights = 0

    async def turn_on(self, call):
        self.lights += 1

    def entities(self):
        registry = entity_registry.async_get(self.hass)
        found = {}
        for entry in registry.entities.values():
            state = self.hass.states.get(entry.entity_id)
            if entry.platform == "mqtt":
                found[entry.entity_id] = {
                    "state": state and state.state,
                    "attributes": dict(state.attributes) if state else {},
                }
        return found

    def device(self):
        registry = device_registry.async_get(self.hass)
        devices = device_registry.async_entries_for_config_entry(registry, "kwsd")
        return devices[0] if devices else None

    async def triggers(self):
        device = self.device()
        return await device_trigger.async_get_triggers(self.hass, device.id) if device else []

    async def attach(self):
        """As the automation editor would: the trigger "said yes" of the device."""
        for trigger in await self.triggers():
            if trigger["type"] == "said" and trigger["subtype"] == "yes":
                config = device_trigger.TRIGGER_SCHEMA({**trigger})

                async def action(variables, context=None):
                    self.fired += 1
                    self.last = variables["trigger"].get("payload_json") or variables["trigger"].get("payload")

                await device_trigger.async_attach_trigger(
                    self.hass,
                    config,
                    action,
                    {
                        "trigger_data": {"id": "0", "idx": "0", "alias": None},
                        "variables": {},
                        "domain": "kwsd",
                        "name": "kwsd",
                    },
                )
                return True
        return False

    async def page(self):
        if not await setup.async_setup_component(self.hass, "frontend", {}):
            return None
        await (await http_config.async_get_and_load_store(self.hass)).async_promote_pending()  # or it asks
        user = await self.hass.auth.async_create_user("you", group_ids=["system-admin"])
        refresh = await self.hass.auth.async_create_refresh_token(user, client_id=self.address + "/")
        tokens = {
            "access_token": self.hass.auth.async_create_access_token(refresh),
            "token_type": "Bearer",
            "expires_in": 1800,
            "hassUrl": self.address,
            "clientId": self.address + "/",
            "expires": 4102444800000,
            "refresh_token": refresh.token,
        }
        return {"address": self.address, "device": "/config/devices/device/" + self.device().id, "tokens": tokens}

    async def answer(self, words):
        if words[0] == "page":
            return await self.page()
        if words[0] == "schema":
            text = await self.hass.async_add_executor_job(pathlib.Path(words[1]).read_text)
            return check_document(json.loads(text))
        if words[0] == "entities":
            return self.entities()
        if words[0] == "device":
            device = self.device()
            return device and {
                "name": device.name,
                "area": device.area_id,
                "url": device.configuration_url,
                "model": device.model,
                "version": device.sw_version,
            }
        if words[0] == "triggers":
            return sorted("%s %s" % (t["subtype"], t["type"]) for t in await self.triggers())
        if words[0] == "attach":
            return await self.attach()
        if words[0] == "automations":
            text = await self.hass.async_add_executor_job(pathlib.Path(words[1]).read_text)
            self.hass.services.async_register("light", "turn_on", self.turn_on)
            return await setup.async_setup_component(self.hass, "automation", {"automation": yaml.safe_load(text)})
        if words[0] == "lights":
            return self.lights
        if words[0] == "fired":
            return {"fired": self.fired, "last": self.last}
        if words[0] == "call":
            data = {"entity_id": words[3]}
            for pair in words[4:]:
                key, value = pair.split("=", 1)
                data[key] = json.loads(value)
            await self.hass.services.async_call(words[1], words[2], data, blocking=True)
            return True
        raise ValueError("no such command: " + words[0])


async def run(folder, port):
    write_configuration(folder, port)
    # Home Assistant without its user interface, which is a package of its own
    hass = core.HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth.auth_manager_from_config(hass, [], [])
    await setup.async_setup_component(hass, "http", {"http": {"server_host": ["127.0.0.1"], "server_port": port + 1}})
    await setup.async_setup_component(hass, "mqtt", {})
    await hass.async_start()
    house = House(hass, f"http://127.0.0.1:{port + 1}")
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps("ready"), flush=True)
    while line := (await reader.readline()).decode().split():
        if line[0] == "quit":
            break
        try:
            await hass.async_block_till_done()
            result = await house.answer(line)
        except Exception as error:  # the test shows it
            result = {"error": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps(result, default=str), flush=True)
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(run(pathlib.Path(sys.argv[1]), int(sys.argv[2])))
