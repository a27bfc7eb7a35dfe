# inside_page.sh - runs inside the container that systemd.sh boots: the commands of docs/home-assistant.md for MQTT, as they stand there
exec > /shared/log 2>&1
trap 'systemctl poweroff > /dev/null 2>&1' EXIT
fail() { echo "FAIL: $*"; systemctl status kwsd kwsd-mqtt mosquitto --no-pager -n 5; exit 1; }
await() { local n=$(($1 * 20)); shift; while [ "$n" -gt 0 ]; do "$@" > /dev/null 2>&1 && return; sleep 0.05; n=$((n - 1)); done; return 1; }
ip link set lo up
rm -f /etc/mosquitto/conf.d/*
sed -i '/^Group=/d' /etc/systemd/system/kwsd.service.d/test.conf # its own, as it is installed
systemctl daemon-reload

# what was installed before the boot, and cannot be fetched here
apt-get() { echo "apt-get $*"; }
make() { echo "make $*"; }
sudo() { "$@"; }
[ "$(wc -l < /t/commands)" -ge 15 ] || fail "no commands"
while IFS= read -r command; do
	eval "$command" > /t/said 2>&1 < /dev/null || fail "$command: $(cat /t/said)"
	case $command in *mosquitto_sub*) grep -qx 'kwsd/kitchen/availability o[a-z]*' /t/said || fail "$command: $(cat /t/said)" ;; esac
done < /t/commands
echo "page: $(wc -l < /t/commands) commands"

mosquitto_sub -u home -P another-password -t 'kwsd/kitchen/listener/+/event' -F '%p' > /t/sub &
await 20 eval 'mosquitto_sub -u home -P another-password -W 2 -t kwsd/kitchen/availability -C 1 | grep -qx online' || fail "not online"
touch /shared/play
await 20 test -s /t/sub || fail "no event came"
grep -q '"event_type":"[a-z]*".*"late":false' /t/sub || fail "event: $(cat /t/sub)"
echo "page: heard $(sed 's/.*"word":"\([a-z]*\)".*/\1/' /t/sub | tr '\n' ' ')"

# the flow for Node-RED is JSON, and each wire ends at a node
sed -n '/^```json/,/^```/p' /t/home-assistant.md | sed '/^```/d' | python3 -c '
import json, sys
flow = json.load(sys.stdin)
ids = {node["id"] for node in flow}
assert len(ids) == len(flow) > 4
for node in flow:
    assert all(end in ids for wire in node.get("wires", []) for end in wire), node
    assert node.get("broker", "kwsd-broker") in ids or node["type"] == "mqtt-broker"' || fail "the flow"
echo "inside: all well"
