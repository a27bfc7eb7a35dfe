# mqtt.sh - kwsd-mqtt between a real kwsd and a real broker: TLS, brokers that die, full disks, wrong certificates, many at once
BRIDGE=$B/kwsd-mqtt

# certs: an authority, a broker's certificate for localhost, and a client's; another authority, which nobody trusts
certs() {
	need openssl
	local C=$T/certs n
	mkdir "$C"
	for n in ca other; do
		openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$n" -keyout "$C/$n.key" -out "$C/$n.crt" 2> "$T/err.ssl" || fail "openssl"
	done
	cert broker ca localhost; cert client ca kitchen; cert stranger other kitchen; cert elsewhere ca elsewhere.example
	chmod 644 "$C"/* # the broker is another user
}
cert() { # NAME AUTHORITY HOST
	local C=$T/certs
	openssl req -newkey rsa:2048 -nodes -subj "/CN=$3" -keyout "$C/$1.key" -out "$C/$1.csr" 2> "$T/err.ssl" &&
		printf 'subjectAltName=DNS:%s\n' "$3" > "$C/$1.ext" &&
		openssl x509 -req -in "$C/$1.csr" -CA "$C/$2.crt" -CAkey "$C/$2.key" -CAcreateserial -days 2 -extfile "$C/$1.ext" \
			-out "$C/$1.crt" 2> "$T/err.ssl" || fail "openssl"
}

# broker_start [LINE...]: a mosquitto with these lines of configuration; its port is $PORT
broker_start() {
	need mosquitto mosquitto_sub mosquitto_pub
	PORT=${PORT:-$((20000 + RANDOM % 10000))}
	[ $# -gt 0 ] && printf '%s\n' "$@" > "$T/broker.lines"
	[ -e "$T/broker.lines" ] || echo 'allow_anonymous true' > "$T/broker.lines"
	{ echo "listener $PORT 127.0.0.1"; cat "$T/broker.lines"; } > "$T/broker.conf"
	chmod 711 "$T"
	mosquitto -c "$T/broker.conf" >> "$T/log" 2>&1 &
	BROKER=$!
	PIDS="$PIDS $BROKER"
	await 20 listens || fail "mosquitto does not start"
}
listens() { : < "/dev/tcp/127.0.0.1/$PORT"; }
broker_end() { kill -"${1:-TERM}" "$BROKER"; wait "$BROKER" 2> /dev/null; }

# sub_start FILE TOPIC...: what is published there, a line each with its topic; a session that outlives the broker
sub_start() {
	local file=$1; shift
	# shellcheck disable=SC2046,SC2086
	mosquitto_sub -p "$PORT" -c -i "test$RANDOM" -q 2 -F '%r %t %p' ${SUB_OPTIONS:-} -t test/there $(printf -- '-t %s ' "$@") >> "$file" 2>> "$T/err.sub" &
	SUB=$!
	PIDS="$PIDS $SUB"
	subscribed "$file"
}
# shellcheck disable=SC2086
pub() { mosquitto_pub -p "$PORT" ${SUB_OPTIONS:-} -q 1 -t "$1" -m "$2" "${@:3}" || fail "mosquitto_pub $1"; }
# subscribed FILE: what is published from now on comes to FILE
subscribed() {
	local n=$RANDOM$RANDOM
	pub test/there "$n" -r
	await 20 has "test/there $n" "$1" || fail "mosquitto_sub is not there"
}

# shellcheck disable=SC2120
# hear_start [OPTION...]: kwsd on a pipe, which feed fills, with a control socket; events in $T/out
hear_start() {
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	N=$(wc -l < "$T/want")
	[ -e "$T/mic" ] || mkfifo "$T/mic"
	kwsd_start -d "raw:$T/mic" -o control.path="$T/control" -o control.state="$T/kept.conf" "$@"
	exec 7<> "$T/mic" # does not wait for kwsd, which may be switched off
	await 20 test -S "$T/control" || fail "no control socket"
}
# watches: the bridge is a client of kwsd, beside this one
watches() { "$KWS" ctl --socket "$T/control" --json | grep -q '"clients":2'; }
feed() { cat "$T/in.raw" >&7; }
# said N: kwsd has reported N events by now
said() { await 30 lines "$T/out" "$1" || fail "kwsd has heard $(wc -l < "$T/out") of $1"; }

# bridge_start [OPTION...]: log in $T/err.bridge, process in $Q
bridge_start() {
	"$BRIDGE" -c /dev/null -o control.path="$T/control" -o mqtt.port="$PORT" -o mqtt.site=kitchen -o mqtt.spool="$T/spool" \
		-o mqtt.backoff_max_s=1 -o mqtt.interval_s=1 "$@" >> "$T/err.bridge" 2>&1 &
	Q=$!
	PIDS="$PIDS $Q"
}
told() { grep -q -e "$1" "$T/err.bridge"; }
bridge_stop() {
	kill -TERM "$Q"
	wait "$Q" || fail "kwsd-mqtt ended with status $?"
}
has() { grep -q -e "$1" "$2"; }
ids() { field id < "$1"; } # of events, in the order of the file
of_events() { grep -e '^. kwsd/[^ ]*/event ' "$1"; }
# all_there FILE: the events of kwsd, each once, in order
all_there() {
	of_events "$1" > "$T/events"
	ids "$T/events" > "$T/ids"; ids "$T/out" > "$T/want.ids"
	cmp -s "$T/ids" "$T/want.ids" || fail "events: $(diff "$T/want.ids" "$T/ids" | head -n 5)"
}
arrived() { [ "$(of_events "$1" | wc -l)" -ge "$2" ]; }
# came FILE N: so many events did, each once or more, and none waits; a spool is empty, too, before the bridge has heard of them
came() {
	of_events "$1" > "$T/came"
	[ "$(ids "$T/came" | sort -u | wc -l)" -ge "$2" ] && [ ! -s "$T/spool" ]
}

# With TLS, a client's certificate, user and password: states, events, commands that survive a restart, good-bye.
test_tls() { # at most 120 s
	certs
	local C=$T/certs R=kwsd/kitchen/listener/default
	: > "$T/passwords"
	mosquitto_passwd -b "$T/passwords" kitchen secret 2> "$T/err.ssl" && mosquitto_passwd -b "$T/passwords" test test 2> "$T/err.ssl" || fail "mosquitto_passwd"
	chmod 644 "$T/passwords"
	printf 'kitchen\n' > "$T/user"; printf 'secret\n' > "$T/password"; chmod 600 "$T/password"
	# the rights that the manual gives it, and a reader
	{ sed -n '/^user kitchen/,/^\.EE/p' docs/kwsd-mqtt.8 | sed '/^\.EE/d; s/\\-/-/g'; printf '\nuser test\ntopic readwrite #\n'; } > "$T/acl"
	chmod 644 "$T/acl"
	broker_start 'allow_anonymous false' "acl_file $T/acl" "password_file $T/passwords" "cafile $C/ca.crt" "certfile $C/broker.crt" \
		"keyfile $C/broker.key" 'require_certificate true'
	SUB_OPTIONS="-h localhost --cafile $C/ca.crt --cert $C/client.crt --key $C/client.key -u test -P test"
	sub_start "$T/sub" 'kwsd/#' 'hermes/#' 'rhasspy/#' 'homeassistant/#'
	hear_start
	bridge_start -o mqtt.tls=yes -o mqtt.ca="$C/ca.crt" -o mqtt.cert="$C/client.crt" -o mqtt.key="$C/client.key" \
		-o mqtt.user_file="$T/user" -o mqtt.password_file="$T/password"
	await 10 has ' kwsd/kitchen/availability online' "$T/sub" || fail "not online"
	feed; said "$N"
	await 10 arrived "$T/sub" "$N" || fail "not all events"
	all_there "$T/sub"
	[ "$(grep -c ' hermes/hotword/.*/detected ' "$T/sub")" = "$N" ] || fail "not all for Hermes"
	pub "$R/listening/set" OFF; await 20 has " $R/listening OFF" "$T/sub" || fail "does not turn off"
	pub kwsd/kitchen/model/default/yes/threshold/set 0.66
	await 20 has ' kwsd/kitchen/model/default/yes/threshold 0.66' "$T/sub" || fail "no new threshold"
	pub kwsd/kitchen/model/default/yes/threshold/set 6.6
	await 20 has ' kwsd/kitchen/error .*0\.\.1' "$T/sub" || fail "no error"
	pub kwsd/kitchen/request '{"request":"version","id":"x"}'
	await 20 has ' kwsd/kitchen/answer .*"id":"x"' "$T/sub" || fail "no answer"
	pub rhasspy/hotword/getHotwords '{"siteId":"kitchen"}'
	await 20 has ' rhasspy/hotword/hotwords .*"modelId":"yes"' "$T/sub" || fail "no list of words"
	await 20 has ' homeassistant/device/kwsd_kitchen/config {' "$T/sub" || fail "no discovery"
	# kwsd goes, and a new one has the same settings
	exec 7>&-; kwsd_stop
	await 20 has 'availability offline' "$T/sub" || fail "kwsd is gone, and nobody knows"
	: > "$T/sub"
	hear_start
	await 10 has ' kwsd/kitchen/availability online' "$T/sub" || fail "not online again"
	local hash
	hash=$("$KWSD" -t -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "raw:$T/mic" -o control.path="$T/control" \
		-o control.state="$T/kept.conf" -o audio.enabled=no -o threshold.yes=0.66 2> /dev/null | sha256sum | cut -d' ' -f1)
	await 20 has " kwsd/kitchen/status .*\"configuration_hash\":\"$hash\"" "$T/sub" || fail "not the hash of the configuration: $hash"
	pub kwsd/kitchen/request '{"request":"status"}'
	await 20 has ' kwsd/kitchen/answer .*"enabled":false.*"yes":0.66' "$T/sub" || fail "forgotten: $(cat "$T/kept.conf")"
	bridge_stop
	await 20 has ' kwsd/kitchen/availability offline' "$T/sub" || fail "no good-bye"
	! told password && ! told secret || fail "the log has a secret"
	exec 7>&-; kwsd_stop
}

# while_said HOW...: words are said while the broker ends by these signals, one after the other
while_said() {
	hear_start
	sub_start "$T/sub" 'kwsd/kitchen/listener/+/event'
	bridge_start -o mqtt.hermes=no
	await 10 told 'connected to the broker' || fail "no connection"
	await 10 watches || fail "the bridge does not come"
	local round=0 how
	for how; do
		feed & local feeding=$!
		sleep 0.3
		broker_end "$how"
		wait $feeding
		round=$((round + 1)); said $((round * N))
		kill -STOP "$Q" # a broker without a memory would give what comes now to nobody
		broker_start
		subscribed "$T/sub"
		kill -CONT "$Q"
	done
}

# The broker is restarted again and again while words are said: every event comes, in order, once.
test_broker_restarts() { # at most 120 s
	install -d -m 777 "$T/store"
	broker_start 'allow_anonymous true' 'persistence true' "persistence_location $T/store/"
	while_said TERM TERM TERM TERM
	await 30 arrived "$T/sub" $((4 * N)) || fail "only $(of_events "$T/sub" | wc -l) of $((4 * N)) events"
	all_there "$T/sub"
	bridge_stop
	[ ! -s "$T/spool" ] || fail "something is left: $(head -c 300 "$T/spool")"
	exec 7>&-; kwsd_stop
}

# It is killed, and forgets everything: nothing is lost on the way to it. What was on its way may come twice.
test_broker_killed() { # at most 120 s
	broker_start 'allow_anonymous true'
	sub_start() { # one that is never away: it would miss what comes before it is back
		( trap 'kill $!; exit' TERM; while :; do timeout 100 mosquitto_sub -p "$PORT" -q 2 -F '%r %t %p' -t test/there -t "$2" >> "$1" 2>> "$T/err.sub" & wait $!; sleep 0.1; done ) &
		SUB=$!; PIDS="$PIDS $SUB"
		subscribed "$1"
	}
	while_said KILL KILL KILL KILL
	await 30 came "$T/sub" $((4 * N)) || fail "something is left"
	of_events "$T/sub" > "$T/events"
	ids "$T/events" | awk '!seen[$0]++' > "$T/ids"; ids "$T/out" > "$T/want.ids"
	cmp -s "$T/ids" "$T/want.ids" || fail "events: $(diff "$T/want.ids" "$T/ids" | head -n 5)"
	kill -TERM "$SUB"
	bridge_stop
	exec 7>&-; kwsd_stop
}

# The connection is cut in the middle, and nothing else: every event comes, in order, once.
test_connection_cut() { # at most 120 s
	need socat
	broker_start 'allow_anonymous true'
	hear_start
	sub_start "$T/sub" 'kwsd/kitchen/listener/+/event'
	local real=$PORT between=$((PORT + 1)) i
	relay() { socat TCP-LISTEN:$between,bind=127.0.0.1,reuseaddr,fork TCP:127.0.0.1:$real 2>> "$T/err.socat" & RELAY=$!; PIDS="$PIDS $RELAY"; }
	cut() { kill -KILL $(pgrep -P "$RELAY") "$RELAY" 2> /dev/null; wait "$RELAY" 2> /dev/null; }
	relay
	bridge_start -o mqtt.port=$between -o mqtt.hermes=no
	await 10 watches || fail "the bridge does not come"
	await 10 told 'connected to the broker' || fail "no connection"
	for i in 1 2 3 4 5; do
		feed & local feeding=$!
		sleep 0.1
		cut
		wait $feeding; said $((i * N))
		relay
		await 20 came "$T/sub" $((i * N)) || fail "something is left"
	done
	all_there "$T/sub"
	cut
	bridge_stop
	exec 7>&-; kwsd_stop
}

# Both the bridge and the broker are away: what was said before waits on disk, also when the bridge is killed.
test_bridge_dies() { # at most 120 s
	hear_start
	PORT=$((20000 + RANDOM % 10000))
	local round
	for round in 1 2 3; do
		bridge_start
		await 10 watches || fail "the bridge does not come"
		feed; said $((round * N))
		await 10 eval '[ "$(grep -c "^+" "$T/spool")" = $((round * N)) ]' || fail "$(grep -c '^+' "$T/spool") wait"
		kill -KILL "$Q"; wait "$Q" 2> /dev/null
	done
	head -c -7 "$T/spool" > "$T/half"; cp "$T/half" "$T/spool" # and the last one was only half written
	sed -i '$d' "$T/out"
	broker_start 'allow_anonymous true'
	sub_start "$T/sub" 'kwsd/kitchen/listener/+/event'
	bridge_start
	await 20 arrived "$T/sub" $((3 * N - 1)) || fail "only $(of_events "$T/sub" | wc -l) events"
	sleep 0.5
	all_there "$T/sub"
	told '1 lines were damaged' || fail "no word of the half line"
	[ ! -s "$T/spool" ] || fail "something is left"
	bridge_stop
	exec 7>&-; kwsd_stop
}

# A full disk, a small queue: the oldest go, and all is said. Whatever happens, kwsd hears.
test_full() { # at most 150 s
	need_root
	[ -z "${KWS_NO_MOUNTS:-}" ] || skip "$KWS_NO_MOUNTS"
	mkdir "$T/fs"
	mount -t tmpfs -o size=16k tmpfs "$T/fs" 2> /dev/null || skip "cannot mount a tmpfs"
	PORT=$((20000 + RANDOM % 10000))
	hear_start
	bridge_start -o mqtt.spool="$T/fs/spool" -o mqtt.hermes=no
	await 10 watches || fail "the bridge does not come"
	feed; feed; feed; said $((3 * N))
	await 10 told 'No space left.*wait in memory' || fail "no word of the full disk"
	broker_start 'allow_anonymous true'
	sub_start "$T/sub" 'kwsd/kitchen/listener/+/event' 'kwsd/kitchen/status'
	await 20 arrived "$T/sub" $((3 * N)) || fail "only $(of_events "$T/sub" | wc -l) events"
	all_there "$T/sub"
	broker_end
	bridge_stop
	bridge_start -o mqtt.hermes=no -o mqtt.spool_kb=16 # room for some 15 events
	await 10 watches || fail "the bridge does not come"
	feed; feed; feed; said $((6 * N))
	: > "$T/sub"
	await 20 eval '[ "$(stat -c %s "$T/spool")" -gt 8000 ]' || fail "nothing on disk"
	broker_start
	await 20 has '"full":[1-9]' "$T/sub" || fail "the status does not say what was dropped"
	await 20 eval 'of_events "$T/sub" | tail -n 1 | grep -q "$(tail -n 1 "$T/out" | field id)"' || fail "the last event did not come"
	of_events "$T/sub" > "$T/events"; ids "$T/events" > "$T/ids"
	tail -n "$(wc -l < "$T/ids")" "$T/out" > "$T/end"; ids "$T/end" | cmp -s - "$T/ids" || fail "not the newest, in order"
	bridge_stop
	exec 7>&-; kwsd_stop
}

# A broker that limits what it keeps and takes: slow readers lose, the bridge does not.
test_filled_broker() { # at most 120 s
	broker_start 'allow_anonymous true' 'max_queued_messages 5' 'max_inflight_messages 1' 'max_queued_bytes 4096'
	sub_start "$T/sub" 'kwsd/kitchen/listener/+/event'
	sub_start "$T/stuck" 'kwsd/#'
	kill -STOP "$SUB"
	hear_start
	bridge_start
	await 10 told 'connected to the broker' || fail "no connection"
	await 10 watches || fail "the bridge does not come"
	local i
	for i in 1 2 3 4; do feed; said $((i * N)); sleep 0.3; done
	await 20 eval '[ ! -s "$T/spool" ]' || fail "events wait for ever"
	[ "$(grep -c 'connected to the broker' "$T/err.bridge")" = 1 ] || fail "the connection broke"
	bridge_stop
	exec 7>&-; kwsd_stop
}

# What is wrong with the other side is said by its cause, once, and when it is right the connection comes by itself.
test_wrong_certificates() { # at most 150 s
	certs
	local C=$T/certs i
	: > "$T/control"
	broker_start 'allow_anonymous true' "cafile $C/ca.crt" "certfile $C/broker.crt" "keyfile $C/broker.key" 'require_certificate true'
	refused() { # WHAT-THE-LOG-SAYS OPTION...
		local want=$1; shift
		: > "$T/err.bridge"
		bridge_start "$@"
		await 10 told "broker localhost: .*$want" || fail "no word of \"$want\""
		sleep 2.5 # some more attempts
		[ "$(grep -c 'trying again' "$T/err.bridge")" -le 2 ] || fail "it says so each time"
		told '\.;' && fail "a full stop within a line: $(cat "$T/err.bridge")"
		kill -0 "$Q" 2> /dev/null || fail "has ended"
		bridge_stop
	}
	refused 'certificate verify failed' -o mqtt.tls=yes -o mqtt.ca="$C/other.crt"
	refused '' -o mqtt.tls=yes -o mqtt.ca="$C/ca.crt" -o mqtt.cert="$C/stranger.crt" -o mqtt.key="$C/stranger.key"
	refused '' -o mqtt.tls=yes -o mqtt.ca="$C/ca.crt" # no certificate at all
	refused '' -o mqtt.tls=no # plain words to a broker that wants TLS
	broker_end
	refused 'refused' -o mqtt.tls=yes -o mqtt.ca="$C/ca.crt" # nobody there
	broker_start 'allow_anonymous true' "certfile $C/elsewhere.crt" "keyfile $C/elsewhere.key"
	refused 'host name verification failed\|certificate verify failed' -o mqtt.tls=yes -o mqtt.ca="$C/ca.crt"
	broker_end
	broker_start 'allow_anonymous false'
	refused '[Nn]ot authori[sz]ed' # no user
	broker_end
	: > "$T/err.bridge"
	bridge_start -o mqtt.tls=yes -o mqtt.ca="$C/ca.crt" -o mqtt.cert="$C/client.crt" -o mqtt.key="$C/other.key" # of another
	await 10 told 'trying again' || fail "takes a key that is not of the certificate"
	bridge_stop
	broker_start 'allow_anonymous false'
	# it becomes right while it runs
	: > "$T/err.bridge"
	bridge_start
	await 10 told '[Nn]ot authori[sz]ed' || fail "not refused"
	broker_end
	broker_start 'allow_anonymous true'
	await 10 told 'connected to the broker' || fail "does not come back"
	bridge_stop
}

# Wrong settings: status 78, and a text that names the key and the cause. -t says the same, and prints what is used.
test_settings() {
	local t
	wrong() { # TEXT OPTION...
		local want=$1; shift
		for t in '' -t; do
			timeout 10 "$BRIDGE" $t -c /dev/null "$@" > "$T/out" 2> "$T/err.bridge"
			[ $? = 78 ] || fail "$*: not status 78"
			told "$want" || fail "$*: no word of \"$want\""
		done
	}
	wrong '\[mqtt\] host: names no broker' -o mqtt.host=
	wrong '\[mqtt\] ca: needs tls = yes' -o mqtt.ca=/etc/passwd
	wrong '\[mqtt\] cert: needs key, too' -o mqtt.tls=yes -o mqtt.cert=/etc/passwd
	wrong '\[mqtt\] ca: /nonexistent: No such file' -o mqtt.tls=yes -o mqtt.ca=/nonexistent
	wrong '\[mqtt\] topic: ' -o 'mqtt.topic=a/#'
	wrong '\[mqtt\] discovery: ' -o 'mqtt.discovery=+'
	wrong '\[mqtt\] url: ' -o 'mqtt.url=kitchen:8080'
	wrong '\[mqtt\] password_file: /nonexistent: No such file' -o mqtt.password_file=/nonexistent
	: > "$T/empty"; wrong 'first line is empty' -o mqtt.password_file="$T/empty"
	echo x > "$T/password"; wrong 'a password without a user' -o mqtt.password_file="$T/password"
	head -c 3000 /dev/zero | tr '\0' x > "$T/long"; wrong 'longer than' -o mqtt.user_file="$T/long"
	wrong 'qos: 3 is not in 0..2' -o mqtt.qos=3
	"$BRIDGE" -t -c /dev/null -o mqtt.site=attic > "$T/out" 2> "$T/err" || fail "-t"
	grep -q '^site = attic' "$T/out" && grep -q '^\[control\]' "$T/out" || fail "-t prints: $(cat "$T/out")"
	"$BRIDGE" -t -c config/kwsd.conf > "$T/out" 2> "$T/err" || fail "the shipped configuration"
	# a reload: refused, and then taken
	broker_start 'allow_anonymous true'
	printf '[control]\npath = %s/control\n[mqtt]\nport = %s\nspool = %s/spool\nsite = one\n' "$T" "$PORT" "$T" > "$T/k.conf"
	sub_start "$T/sub" 'kwsd/#'
	"$BRIDGE" -c "$T/k.conf" >> "$T/err.bridge" 2>&1 &
	Q=$!; PIDS="$PIDS $Q"
	await 10 has 'kwsd/one/availability offline' "$T/sub" || fail "does not start"
	sed -i 's/one/two/; s/^spool.*/spool = \/nonexistent\/spool/' "$T/k.conf"; kill -HUP "$Q"
	await 10 told 'reload refused' || fail "a reload that cannot be is taken"
	told '/nonexistent/spool: No such file' || fail "the cause is missing"
	sed -i '/^spool/d' "$T/k.conf"; kill -HUP "$Q"
	await 10 has 'kwsd/two/availability offline' "$T/sub" || fail "the reload has no effect"
	bridge_stop
}
