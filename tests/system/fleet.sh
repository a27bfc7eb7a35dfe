# fleet.sh - many kwsd-mqtt at one broker, which restarts under them. KWS_FLEET is their number; `KWS_FLEET=200 tests/system/run -v fleet` measures
# shellcheck disable=SC2046,SC2086
. tests/system/mqtt.sh

bridges_start() { # N: one a site, all at one kwsd
	local i
	QS=
	for i in $(seq "$1"); do
		"$BRIDGE" -c /dev/null -o control.path="$T/control" -o mqtt.port="$PORT" -o mqtt.site="site$i" -o mqtt.spool="$T/spool$i" \
			-o mqtt.hermes=no -o mqtt.backoff_max_s=4 -o mqtt.name="Site $i" >> "$T/err.bridge" 2>&1 &
		QS="$QS $!"
	done
	PIDS="$PIDS $QS"
}
connected() { [ "$(grep -c 'connected to the broker' "$T/err.bridge")" -ge "$1" ]; }
online() { [ "$(grep -c ' kwsd/site[0-9]*/availability online' "$T/sub")" -ge "$1" ]; }
watched() { "$KWS" ctl --socket "$T/control" --json | grep -q "\"clients\":$(($1 + 1))"; }
# shellcheck disable=SC2046
ticks() { awk '{n += $14 + $15} END {print n}' $(printf '/proc/%s/stat ' "$@"); }
spools_empty() { ! find "$T" -name 'spool*' -size +0 | grep -q .; }
# each_once N: every event of kwsd came from each of N sites, in order, once
each_once() {
	local i
	ids "$T/out" > "$T/want.ids"
	for i in $(seq "$1"); do
		grep -e "^. kwsd/site$i/listener/default/event " "$T/sub" | field id | cmp -s - "$T/want.ids" || fail "site$i: not each event once"
	done
}

test_many() { # at most 280 s
	local n=${KWS_FLEET:-12} t cpu kwsd
	broker_start 'allow_anonymous true' 'max_queued_messages 0' 'persistence true' "persistence_location $T/store/"
	broker_end; install -d -m 777 "$T/store"; broker_start
	SUB_OPTIONS='' sub_start "$T/sub" 'kwsd/+/listener/+/event' 'kwsd/+/availability'
	hear_start -o control.clients=250 -o control.buffer_kb=256
	t=$(now_ms)
	bridges_start "$n"
	await 60 online "$n" || fail "only $(grep -c 'availability online' "$T/sub") of $n are online"
	await 20 watched "$n" || fail "not all are clients of kwsd"
	echo "$n bridges: all online after $(($(now_ms) - t)) ms"
	# words, for all of them
	cpu=$(ticks $QS) kwsd=$(ticks "$P") t=$(now_ms)
	feed; said "$N"
	await 60 arrived "$T/sub" $((n * N)) || fail "only $(of_events "$T/sub" | wc -l) of $((n * N)) events"
	echo "$((n * N)) events after $(($(now_ms) - t)) ms; CPU a bridge and event: $(awk "BEGIN {printf \"%.2f\", ($(ticks $QS) - $cpu) * 10 / $n / $N}") ms; kwsd: $((($(ticks "$P") - kwsd) * 10)) ms"
	each_once "$n"
	# idle
	cpu=$(ticks $QS) t=$(now_ms)
	sleep 5
	echo "idle: CPU a bridge $(awk "BEGIN {printf \"%.3f\", ($(ticks $QS) - $cpu) * 1000 / $n / ($(now_ms) - $t)}") %; resident $(awk '/^VmRSS/ {n += $2; k++} END {printf "%.1f", n / k / 1024}' $(printf '/proc/%s/status ' $QS)) MiB a bridge"
	# the broker restarts: all come back by themselves, and what was said meanwhile comes
	broker_end
	feed; said $((2 * N))
	t=$(now_ms)
	broker_start
	await 60 connected $((2 * n)) || fail "only $(($(grep -c 'connected to the broker' "$T/err.bridge") - n)) of $n came back"
	echo "all are back $(($(now_ms) - t)) ms after the broker is"
	await 60 arrived "$T/sub" $((2 * n * N)) || fail "only $(of_events "$T/sub" | wc -l) of $((2 * n * N)) events"
	await 10 spools_empty || fail "events are left"
	each_once "$n"
	# and go
	t=$(now_ms)
	kill -TERM $QS
	wait $QS
	await 20 eval '[ "$(grep -c " kwsd/site[0-9]*/availability offline" "$T/sub")" -ge "$n" ]' || fail "not all said good-bye"
	echo "all ended after $(($(now_ms) - t)) ms"
	exec 7>&-; kwsd_stop
}
