# inside_mqtt.sh - runs inside the container that systemd.sh boots: kwsd-mqtt beside kwsd and a broker
# shellcheck disable=SC2086,SC2174
exec > /shared/log 2>&1
trap 'systemctl poweroff > /dev/null 2>&1' EXIT
fail() { echo "FAIL: $*"; systemctl status kwsd kwsd-mqtt --no-pager -n 0; journalctl -q --no-pager -n 40 -u kwsd -u kwsd-mqtt -o cat; exit 1; }
await() { local n=$(($1 * 20)); shift; while [ "$n" -gt 0 ]; do "$@" > /dev/null 2>&1 && return; sleep 0.05; n=$((n - 1)); done; return 1; }
show() { systemctl show kwsd-mqtt -p "$1" --value; }
has() { grep -q -e "$1" /t/sub; }
events() { grep -c '/event ' /t/sub; }
hear() { rm -f /shared/played; touch /shared/play; await 20 test -e /shared/played || fail "nothing was played"; }
ip link set lo up

# a broker that wants a user and a password, which only root can read here
mosquitto_passwd -b -c /t/passwords kitchen secret-of-the-kitchen || fail "mosquitto_passwd"
chmod 644 /t/passwords
printf 'listener 1883 127.0.0.1\nallow_anonymous false\npassword_file /t/passwords\n' > /t/broker.conf
broker() { mosquitto -c /t/broker.conf > /t/broker.log 2>&1 & BROKER=$!; await 20 eval ': < /dev/tcp/127.0.0.1/1883'; }
broker
# what is published afterwards comes to /t/sub
listen() {
	local n=$RANDOM$RANDOM
	mosquitto_sub -u kitchen -P secret-of-the-kitchen -c -i test -q 2 -F '%t %p' -t test/there -t 'kwsd/#' >> /t/sub 2> /dev/null &
	mosquitto_pub -u kitchen -P secret-of-the-kitchen -r -t test/there -m "$n"
	await 20 has "test/there $n" || fail "mosquitto_sub is not there"
}
listen

# what nobody should, tried in the sandbox of kwsd-mqtt before it starts
mkdir -p /dev/snd
mknod /dev/snd/pcmC0D0c c 1 3 # a device that can always be opened
chmod 666 /dev/snd/pcmC0D0c
cat > /t/tries <<'X'
if { : <> /dev/snd/pcmC0D0c; } 2> /dev/null; then echo can open a microphone; else echo cannot open a microphone; fi
if { : > /etc/kwsd/x; } 2> /dev/null; then echo can write /etc; else echo cannot write /etc; fi
if { : < /var/lib/private/kwsd/secret; } 2> /dev/null; then echo can read the state of kwsd; else echo cannot read the state of kwsd; fi
if { : < /etc/kwsd/mqtt.password; } 2> /dev/null; then echo can read the password file; else echo cannot read the password file; fi
if { : > "$STATE_DIRECTORY/x" && rm "$STATE_DIRECTORY/x"; } 2> /dev/null; then echo can write its own folder; else echo cannot write its own folder; fi
X
mkdir -p -m 700 /var/lib/private
mkdir -p /var/lib/private/kwsd /etc/systemd/system/kwsd-mqtt.service.d
touch /var/lib/private/kwsd/secret
printf '[Service]\nExecStartPre=/bin/bash /t/tries\n' > /etc/systemd/system/kwsd-mqtt.service.d/tries.conf
sed -i '/^Group=/d' /etc/systemd/system/kwsd.service.d/test.conf # its own, as it is installed
systemctl daemon-reload
bash /t/tries | grep -qx 'can open a microphone' || fail "the tries prove nothing: $(bash /t/tries)"
printf '[mqtt]\nsite = kitchen\ninterval_s = 1\nbackoff_max_s = 1\n' >> /etc/kwsd/kwsd.conf

# without name and password
systemctl start kwsd || fail "kwsd does not start"
systemctl start kwsd-mqtt || fail "kwsd-mqtt does not start"
tried() { journalctl -q --no-pager -u kwsd-mqtt -o cat | grep '^can' > /t/said; [ "$(wc -l < /t/said)" = 5 ]; }
await 20 tried
[ "$(grep -c ^cannot /t/said)" = 4 ] && grep -qx 'can write its own folder' /t/said || fail "the sandbox: $(cat /t/said)"
await 10 eval 'journalctl -q -u kwsd-mqtt -o cat --no-pager | grep -qi "not authori.ed"' || fail "no word of the refusal"
echo "sandbox: no microphone, no files but its own"

# with them: credentials
(umask 077; echo kitchen > /etc/kwsd/mqtt.user; echo secret-of-the-kitchen > /etc/kwsd/mqtt.password)
systemctl restart kwsd-mqtt || fail "restart"
await 10 has 'kwsd/kitchen/availability online' || fail "not online: $(cat /t/sub)"
p=$(show MainPID) k=$(systemctl show kwsd -p MainPID --value)
[ "$(awk '/^Uid/ {print $2}' /proc/$p/status)" != "$(awk '/^Uid/ {print $2}' /proc/$k/status)" ] || fail "kwsd-mqtt is the user of kwsd"
[ "$(awk '/^CapEff/ {print $2}' /proc/$p/status)" = 0000000000000000 ] && [ "$(awk '/^Seccomp:/ {print $2}' /proc/$p/status)" = 2 ] || fail "not confined"
tr '\0' '\n' < /proc/$p/environ | cat - /proc/$p/cmdline | grep -q secret-of && fail "the password is seen"
journalctl --sync; journalctl -q --no-pager -u kwsd-mqtt -o cat | grep -q secret-of && fail "the password is in the log"
await 10 eval 'show StatusText | grep -q "^Connected to the broker; kwsd is there"' || fail "status: $(show StatusText)"
hear; await 20 eval '[ "$(events)" -ge 1 ]' || fail "no event came"
echo "credentials: connected, another user, confined; $(events) events; $(show StatusText)"

# the broker is away, the bridge is killed and hangs: what was said waits
n=$(events)
kill -KILL $BROKER; wait $BROKER 2> /dev/null
hear
await 20 test -s /var/lib/private/kwsd-mqtt/events.spool || fail "nothing waits"
kill -KILL "$(show MainPID)"
await 10 eval '[ "$(show NRestarts)" = 1 ] && systemctl is-active -q kwsd-mqtt' || fail "not started again"
kill -STOP "$(show MainPID)"
await 40 eval '[ "$(show NRestarts)" = 2 ] && systemctl is-active -q kwsd-mqtt' || fail "the watchdog does nothing"
systemctl stop kwsd-mqtt # a broker without a memory would give what comes now to nobody
broker; listen
systemctl start kwsd-mqtt
await 20 eval '[ "$(events)" -gt $n ]' || fail "what waited did not come"
await 20 eval '[ ! -s /var/lib/private/kwsd-mqtt/events.spool ]' || fail "something still waits"
echo "spool: $(($(events) - n)) events waited through kill -9 and the watchdog"

# a setting of the broker survives a restart of kwsd
mosquitto_pub -u kitchen -P secret-of-the-kitchen -t kwsd/kitchen/model/default/yes/threshold/set -m 0.61
await 20 has 'default/yes/threshold 0.61' || fail "no new threshold"
systemctl restart kwsd || fail "restart of kwsd"
await 20 eval 'kws ctl --json | grep -q "\"yes\":0.61"' || fail "the threshold is forgotten"
await 10 eval '[ "$(grep -e "availability" /t/sub | tail -n 1)" = "kwsd/kitchen/availability online" ]' || fail "does not find the new kwsd"

# reload: good and bad; stop
sed -i 's/^site = kitchen/site = attic/' /etc/kwsd/kwsd.conf
systemctl reload kwsd-mqtt; await 10 has 'kwsd/attic/availability online' || fail "a reload has no effect"
sed -i 's/^site = attic/site = a b/' /etc/kwsd/kwsd.conf
systemctl reload kwsd-mqtt; await 20 eval 'journalctl -q -u kwsd-mqtt -o cat --no-pager | grep -q "reload refused"' || fail "a bad reload is taken"
systemctl stop kwsd-mqtt
[ "$(show Result)" = success ] && [ "$(show ExecMainStatus)" = 0 ] || fail "stop: $(show Result), $(show ExecMainStatus)"
await 20 has 'kwsd/attic/availability offline' || fail "no good-bye"
echo "reload: good taken, bad refused; stop: status 0"
kill $BROKER
echo "inside: all well"
