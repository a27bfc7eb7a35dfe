# mqtt_ha.sh - kwsd-mqtt with a real Home Assistant, in the root that KWS_HA_ROOT names
. tests/system/mqtt.sh

# ha COMMAND...: what Home Assistant answers, in $HA
ha() { echo "$*" >&8; read -r -t 60 HA <&9 || fail "Home Assistant does not answer: $*"; }
ha_has() { ha "$1"; grep -q -e "$2" <<< "$HA"; }
ha_lacks() { ha "$1"; ! grep -q -e "$2" <<< "$HA"; }

# ha_start: a kwsd whose configuration is $T/k.conf, its bridge, and Home Assistant, which sees the folder $H as $h
ha_start() {
	broker_start 'allow_anonymous true'
	audio 16000 raw "$T/in.raw"
	mkfifo "$T/mic" "$T/asks" "$T/says"
	printf '[audio]\ndevice = raw:%s/mic\n[control]\npath = %s/control\n[model]\npath = %s\n' "$T" "$T" "$MODEL" > "$T/k.conf"
	"$KWSD" -c "$T/k.conf" -o stdout.enabled=yes > "$T/out" 2> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	exec 7<> "$T/mic"
	bridge_start -o mqtt.area=Kitchen -o mqtt.url=http://kitchen.example:8080/ -o mqtt.late_s=1
	sub_start "$T/sub" 'homeassistant/#' 'kwsd/#'
	H=$KWS_HA_ROOT/tmp/kws-test.$$ h=/tmp/kws-test.$$
	mkdir "$H"; trap 'cleanup; rm -rf "$H"' EXIT # Home Assistant writes as long as it lives
	cp tests/system/ha_mqtt.py "$H/"
	exec 8<> "$T/asks" 9<> "$T/says"
	chroot "$KWS_HA_ROOT" /v/bin/python $h/ha_mqtt.py $h/config "$PORT" <&8 >&9 2> "$T/err.ha" &
	PIDS="$PIDS $!"
	read -r -t 60 HA <&9 && [ "$HA" = '"ready"' ] || fail "Home Assistant does not start: $HA"
	await 20 has 'kwsd_kitchen/config' "$T/sub" || fail "no discovery"
	grep 'kwsd_kitchen/config' "$T/sub" | tail -n 1 | cut -d' ' -f3- > "$H/doc.json"
}

# A real Home Assistant: everything that is announced is taken, works, and vanishes with the words. KWS_HA_ROOT names a root in which
# /v/bin/python has homeassistant 2026.11, paho-mqtt and aiohasupervisor.
test_home_assistant() { # at most 180 s
	need_root
	[ -n "${KWS_HA_ROOT:-}" ] || skip "KWS_HA_ROOT names no root with a Home Assistant"
	chroot "$KWS_HA_ROOT" /v/bin/python -c 'import homeassistant, paho.mqtt, aiohasupervisor' 2> "$T/err.ha" || skip "no Home Assistant in $KWS_HA_ROOT: $(tail -n 1 "$T/err.ha")"
	wide_model "$T/one.safetensors" 1 1 4 # its only word is yes
	ha_start
	ha schema $h/doc.json
	[ "$HA" = '{"event": 1, "device_automation": 10, "switch": 1, "sensor": 5, "number": 10}' ] || fail "schemas: $HA"
	await 30 ha_has entities '"event.kwsd_kitchen_word": {"state": "unknown"' || fail "no entities: $HA"
	await 20 ha_has entities '"number.kwsd_kitchen_yes_threshold": {"state": "0' || fail "no threshold: $HA"
	ha_has entities '"switch.kwsd_kitchen_listening": {"state": "on"' || fail "no switch: $HA"
	ha_has device '"url": "http://kitchen.example:8080/"' || fail "device: $HA"
	ha_has device '"area": "kitchen".*"model": "commands-12"' || fail "device: $HA"
	ha_has triggers '"stop said"' || fail "triggers: $HA"
	ha_has attach true || fail "no trigger for yes"
	page_blocks mqtt_ha.home_assistant > "$H/automations.yaml"
	ha automations $h/automations.yaml; [ "$HA" = true ] || fail "the automations of the page: $HA"
	feed; await 20 lines "$T/out" 5 || fail "kwsd hears nothing"
	await 10 ha_has lights '^[1-9]' || fail "no automation of the page turns on the light"
	ha lights; [ "$HA" = $((2 * $(grep -c '"word":"yes"' "$T/out"))) ] || fail "the automations of the page ran $HA times for $(words "$T/out")"
	await 10 ha_has fired '"fired": [1-9]' || fail "no automation ran: $HA"
	await 10 ha_has entities '"event_type": "[a-z]*", "delay_s": ' || fail "no event: $HA"
	sleep 1; ha fired; local before=$HA
	pub kwsd/kitchen/listener/default/event '{"event_type":"yes","late":true,"delay_s":99}'
	await 10 ha_has entities '"event_type": "yes", "late": true' || fail "a late event does not come: $HA"
	ha fired; [ "$HA" = "$before" ] || fail "a late event starts an automation"
	ha call switch turn_off switch.kwsd_kitchen_listening
	await 10 eval '"$KWS" ctl --socket "$T/control" --json | grep -q "\"enabled\":false"' || fail "does not turn off"
	await 10 ha_has entities '"switch.kwsd_kitchen_listening": {"state": "off"' || fail "the switch does not follow"
	ha call number set_value number.kwsd_kitchen_yes_threshold value=0.66
	await 10 eval '"$KWS" ctl --socket "$T/control" --json | grep -q "\"yes\":0.66"' || fail "no new threshold"
	await 10 ha_has entities '"number.kwsd_kitchen_yes_threshold": {"state": "0.66"' || fail "the number does not follow"
	# another model: words vanish
	sed -i "s|^path = $MODEL|path = $T/one.safetensors|" "$T/k.conf"; kill -HUP "$P"
	await 20 ha_lacks entities 'kwsd_kitchen_no_threshold' || fail "a threshold is left: $HA"
	ha_has triggers '^\["yes said"\]$' || fail "triggers are left: $HA"
	await 10 ha_has entities '"event_types": \["yes"\]' || fail "event types are left: $HA"
	# and come back
	sed -i "s|^path = $T/one.safetensors|path = $MODEL|" "$T/k.conf"; kill -HUP "$P"
	await 20 ha_has entities '"number.kwsd_kitchen_no_threshold": {"state": "0' || fail "does not come back: $HA"
	# kwsd goes: unavailable
	kill -TERM "$P"; wait "$P"
	await 10 ha_has entities '"switch.kwsd_kitchen_listening": {"state": "unavailable"' || fail "still available: $HA"
	bridge_stop
	echo quit >&8
}

# The device's page, as a user sees it. KWS_HA_ROOT as above, and home-assistant-frontend in it. KWS_PICTURES: a folder for the picture.
test_home_assistant_page() { # at most 180 s
	need_root
	[ -n "${KWS_HA_ROOT:-}" ] || skip "KWS_HA_ROOT names no root with a Home Assistant"
	chroot "$KWS_HA_ROOT" /v/bin/python -c 'import homeassistant, paho.mqtt, aiohasupervisor, hass_frontend' 2> "$T/err.ha" || skip "no Home Assistant with its pages in $KWS_HA_ROOT: $(tail -n 1 "$T/err.ha")"
	need chromium
	ha_start
	await 30 ha_has entities '"number.kwsd_kitchen_yes_threshold": {"state": "0' || fail "no entities: $HA"
	feed; await 20 lines "$T/out" 5 || fail "kwsd hears nothing"
	await 10 ha_has entities '"event_type": "[a-z]*", "delay_s": ' || fail "no event: $HA"
	ha page; grep -q '"tokens"' <<< "$HA" || fail "no page: $HA"
	PYTHONPATH=tests/system python3 tests/system/ha_page.py "${KWS_PICTURES:-$T}" "$HA" > "$T/err.page" 2>&1 || fail "$(tail -n 5 "$T/err.page")"
	bridge_stop
	echo quit >&8
}
