# ctl.sh - the control socket and kws ctl, with the real daemon

# ctl_start [OPTION...]: a daemon on a pipe, with its folders and a configuration of its own; $N events in $T/in.raw
ctl_start() {
	mkdir -p "$T/run" "$T/state"
	export RUNTIME_DIRECTORY=$T/run STATE_DIRECTORY=$T/state
	[ -e "$T/k.conf" ] || : > "$T/k.conf"
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	N=$(wc -l < "$T/want")
	[ -p "$T/mic" ] || mkfifo "$T/mic"
	kwsd_start -c "$T/k.conf" -d "raw:$T/mic" "$@"
	exec 7> "$T/mic"
	await 10 test -S "$T/run/control" || fail "no control socket"
}
ctl() { "$KWS" ctl "$@" 2> "$T/err2"; }
status() { ctl --json | sed -n 's/.*"status"://p'; }

test_ctl_status() { # at most 60 s
	need python3
	ctl_start
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" "$N"
	ctl > "$T/shown" || fail "status $?: $(cat "$T/err2")"
	grep -q "^-  *running  .* $N  *raw:$T/mic at 16000 Hz" "$T/shown" || fail "the microphone: $(cat "$T/shown")"
	grep -q "^stdout  *$N  *0  *0  *-" "$T/shown" || fail "the sink: $(cat "$T/shown")"
	ctl --json > "$T/json" || fail "--json: $?"
	# as its schema says: every member is described, and none is missing
	python3 - "$T/json" <<-X || fail "docs/status.schema.json"
		import json, sys
		def check(schema, v, where):
		    if "properties" in schema:
		        for k in v:
		            assert k in schema["properties"], where + k
		            check(schema["properties"][k], v[k], where + k + ".")
		        for k in schema["required"]:
		            assert k in v, where + k
		    elif "items" in schema:
		        for x in v:
		            check(schema["items"], x, where)
		check(json.load(open("docs/status.schema.json")), json.load(open(sys.argv[1]))["status"], "")
	X
	[ "$(ctl version)" = "$("$KWSD" --version), protocol 1" ] || fail "version: $(ctl version)"
	stat -c %a "$T/run/control" | grep -qx 660 || fail "mode $(stat -c %a "$T/run/control")"
	exec 7>&-
	kwsd_stop
	ctl; [ $? = 69 ] || fail "a daemon that is gone answers"
	[ ! -e "$T/run/control" ] || fail "the socket is left behind"
}

# A threshold is in force at once; kept, it is there after a restart and a reload; not kept, it is gone.
test_ctl_set() { # at most 90 s
	local word all; ctl_start
	word=$(field word < "$T/want" | head -n 1)
	all=$(field word < "$T/want" | grep -c -x "$word")
	ctl set "threshold.$word=off" || fail "set: $? $(cat "$T/err2")"
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" $((N - all)); sleep 0.3
	grep -q "\"word\":\"$word\"" "$T/out" && fail "$word is not off"
	ctl reload || fail "reload: $? $(cat "$T/err2")"
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" $((2 * N - all)) || fail "the reload did not take it back"
	ctl --keep set "threshold.$word=off" decision.refractory_ms=700 || fail "set --keep: $? $(cat "$T/err2")"
	ctl reload || fail "reload: $?"
	status | grep -q "\"$word\":null" || fail "the reload has forgotten what was kept: $(cat "$T/state/kept.conf")"
	ctl set "threshold.$word=1.5" && fail "takes 1.5"
	[ $? = 78 ] || fail "refused with another status"
	grep -q "is not in 0..1, off or model" "$T/err2" || fail "not told why: $(cat "$T/err2")"
	ctl set hook.command=/bin/true; [ $? = 78 ] || fail "sets a hook"
	ctl set "threshold.$word=0.5" threshold.nosuch=0.5; [ $? = 78 ] || fail "sets a word that is not there"
	status | grep -q "\"$word\":null" || fail "half of a request was taken"
	logged "control: threshold.$word=off, by process [0-9]* of user $(id -u)" || fail "not logged who"
	exec 7>&-
	kwsd_stop
	rm "$T/out"
	ctl_start
	status | grep -q "\"$word\":null" || fail "forgotten by a restart"
	exec 7>&-
	kwsd_stop
}

# A file that is cut short, or full, is never half taken; what cannot be kept is in force, and said.
test_ctl_keep_fails() { # at most 60 s
	need_root
	ctl_start -o control.state=/dev/full/kept.conf
	ctl --keep set decision.threshold=0.7; [ $? = 78 ] || fail "kept where nothing can be"
	grep -q "/dev/full/kept.conf: Not a directory" "$T/err2" || fail "not told why: $(cat "$T/err2")"
	status | grep -q '"yes":0.7\|0.7' || fail "not in force"
	exec 7>&-
	kwsd_stop
}

test_ctl_reload() { # at most 60 s
	ctl_start
	for n in 1 2 3; do
		printf '[decision]\nthreshold = 7\n[nonsense]\n' > "$T/k.conf"
		ctl reload; [ $? = 78 ] || fail "status is not 78 for a bad one"
		[ "$(n_logged 'reload refused:')" = $n ] || fail "came back before it was refused"
		grep -q "k.conf:2: \[decision\] threshold: 7 is not in" "$T/err2" && grep -q "k.conf:3: .nonsense" "$T/err2" ||
			fail "not all that is wrong: $(cat "$T/err2")"
		: > "$T/k.conf"
		ctl reload || fail "status $? for a good one"
		[ "$(n_logged '^kwsd: info: reloaded:')" = $n ] || fail "came back before it was reloaded"
	done
	# many at once, between signals: each is answered
	local jobs='' j
	for n in 1 2 3 4 5 6; do
		"$KWS" ctl reload & jobs="$jobs $!"
		kill -HUP "$P"
	done
	for j in $jobs; do wait "$j" || fail "one of many: $?"; done
	# the socket itself moves: who asked is answered, and who is connected stays
	"$KWS" ctl events > "$T/events" 2> /dev/null & PIDS="$PIDS $!"
	await 5 eval 'status | grep -q "\"clients\":2"' || fail "not connected"
	printf '[control]\npath = %s/elsewhere\nmode = 0600\n' "$T" > "$T/k.conf"
	ctl reload || fail "moved: $? $(cat "$T/err2")"
	[ ! -e "$T/run/control" ] || fail "the old name is left"
	cat "$T/in.raw" >&7
	await 10 lines "$T/events" "$N" || fail "who was connected has $(wc -l < "$T/events") of $N events"
	export KWS_CONTROL=$T/elsewhere
	printf '[control]\npath =\n' > "$T/k.conf"
	ctl reload || fail "turned off: $? $(cat "$T/err2")"
	ctl; [ $? = 69 ] || fail "it is still there"
	exec 7>&-
	kwsd_stop
}

# Off releases the microphone: the sound server shows nobody who records. On takes it again.
test_ctl_off_releases_the_microphone() { # at most 60 s
	pulse_start
	mkdir "$T/run"
	export RUNTIME_DIRECTORY=$T/run
	short 16000 wav "$T/in.wav"
	kwsd_start -d kws16
	recorded() { pactl list source-outputs short | grep -q .; }
	await 10 recorded || fail "nobody records"
	ctl off || fail "off: $? $(cat "$T/err2")"
	await 5 eval '! recorded' || fail "it still records"
	ctl | grep -q "^-  *off" || fail "not shown: $(ctl)"
	kill -0 "$P" || fail "it has ended"
	sleep 1
	recorded && fail "it records again"
	ctl on || fail "on: $?"
	await 10 recorded || fail "it does not record again"
	await 5 eval 'ctl | grep -q "^-  *running"' || fail "not running: $(ctl)"
	play kws16 "$T/in.wav"
	await 10 lines "$T/out" 1 || fail "it hears nothing"
	kwsd_stop
}

# A hundred subscribers to everything, a stuck one, one that floods and one that breaks off: all events come, and the audio is
# never late.
test_ctl_crowd() { # at most 120 s
	need socat
	local i s pids='' all='{"request":"subscribe","events":true,"scores":{"rate_hz":100},"mel":{"rate_hz":100},"levels":{"rate_hz":100}}'
	printf '[control]\nclients = 110\n' > "$T/k.conf"
	short 16000 raw "$T/short.raw"
	AUDIO=$T/short.wav ctl_start
	mkfifo "$T/never"
	for i in $(seq 100); do
		{ echo "$all"; sleep 60; } | socat - "UNIX-CONNECT:$T/run/control" > "$T/sub.$i" 2> /dev/null & pids="$pids $!"
	done
	{ echo "$all"; sleep 60; } | socat - "UNIX-CONNECT:$T/run/control" > "$T/never" 2> /dev/null & pids="$pids $!"
	{ while :; do echo '{"request":"status"}'; done; } | socat - "UNIX-CONNECT:$T/run/control" > /dev/null 2>&1 & pids="$pids $!"
	head -c 100000 /dev/urandom | socat -u - "UNIX-CONNECT:$T/run/control" > /dev/null 2>&1
	printf '{"request":"reload' | socat -u - "UNIX-CONNECT:$T/run/control" > /dev/null 2>&1
	PIDS="$PIDS $pids"
	await 20 eval '[ "$(cat "$T"/sub.* | grep -c "\"streams\"")" = 100 ]' || fail "only $(cat "$T"/sub.* | grep -c streams) are in"
	pace "$T/in.raw" 32000 >&7
	await 20 lines "$T/out" "$N" || fail "standard output has $(wc -l < "$T/out") of $N"
	for i in 1 50 100; do
		[ "$(grep -c '^{"event":' "$T/sub.$i")" = "$N" ] || fail "subscriber $i has $(grep -c '^{"event":' "$T/sub.$i") of $N events"
		[ "$(grep -c '^{"mel":' "$T/sub.$i")" -gt 100 ] || fail "subscriber $i has few bands"
	done
	[ "$(grep -c '^kwsd: info: control: reload' "$T/err")" = 0 ] || fail "half a request was done"
	for s in $pids; do kill "$s" 2> /dev/null; done
	await 10 eval 'status | grep -q "\"clients\":1[,}]"' || fail "they have not left: $(status | grep -o '"control".*')"
	status | grep -q '"gaps":0,' || fail "audio was lost: $(status)"
	exec 7>&-
	kwsd_stop
}

# The one too many is told why, and a thousand harm nobody.
test_ctl_a_thousand() { # at most 60 s
	need python3
	ctl_start
	python3 - "$T/run/control" <<-X > "$T/told" 2>&1 || fail "$(cat "$T/told")"
		import socket, sys
		kept, told = [], 0
		for i in range(1000):
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(10)
		    s.connect(sys.argv[1])
		    if i < 64:
		        s.sendall(b'{"request":"version"}\n')
		        assert b'"ok":true' in s.recv(4096), i
		        kept.append(s)
		    else:
		        line = s.recv(4096)
		        assert b'"code":"full"' in line and s.recv(1) == b"", line
		kept[0].sendall(b'{"request":"version"}\n')
		assert b'"ok":true' in kept[0].recv(4096)
	X
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" "$N" || fail "not all is heard"
	[ "$(n_logged 'turned away')" = 1 ] || fail "said $(n_logged 'turned away') times"
	exec 7>&-
	kwsd_stop
}

# Streams end with the daemon, and are taken up again; a reader that goes ends them, too.
test_ctl_follow() { # at most 60 s
	ctl_start
	"$KWS" ctl events --json --follow > "$T/events" 2> "$T/err3" & local f=$!
	PIDS="$PIDS $f"
	"$KWS" ctl events > "$T/events2" 2> "$T/err2" & local once=$!
	await 5 eval 'status | grep -q "\"clients\":3"' || fail "not connected"
	cat "$T/in.raw" >&7
	await 10 lines "$T/events" "$N"
	timeout 10 "$KWS" ctl subscribe levels=100 --json | head -n 3 > "$T/head" &
	local h=$!
	await 5 eval 'status | grep -q "\"clients\":4"'
	cat "$T/in.raw" >&7
	wait $h
	lines "$T/head" 3 || fail "no levels"
	exec 7>&-
	kill -KILL "$P"
	wait $once; [ $? = 69 ] || fail "status of one that does not follow"
	grep -q "kwsd has closed it\|reset" "$T/err2" || fail "not said: $(cat "$T/err2")"
	ctl_start
	await 5 eval 'status | grep -q "\"clients\":2"' || fail "it has not come back"
	cat "$T/in.raw" >&7
	await 10 lines "$T/events" $((3 * N)) || fail "has $(wc -l < "$T/events") events, want $((3 * N))"
	kill "$f"
	exec 7>&-
	kwsd_stop
}

# Near misses are told without a key of the configuration, and keep no sound then.
test_ctl_near_misses() { # at most 60 s
	mkdir "$T/clips"
	ctl_start -o clips.dir="$T/clips" -o decision.threshold=1
	"$KWS" ctl subscribe near_misses --json > "$T/near" & PIDS="$PIDS $!"
	await 5 eval 'status | grep -q "\"clients\":2"'
	cat "$T/in.raw" >&7
	await 10 lines "$T/near" 3 || fail "only $(wc -l < "$T/near")"
	[ "$(grep -vc '^{"near_miss":{"word":' "$T/near")" = 0 ] || fail "something else: $(head -n 1 "$T/near")"
	exec 7>&-
	kwsd_stop
	[ -z "$(ls -A "$T/clips")" ] || fail "their sound was kept"
}

# kws doctor asks the daemon that runs.
test_ctl_doctor() { # at most 60 s
	ctl_start
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" "$N"
	doctor() { "$KWS" doctor -c "$T/k.conf" -m "$MODEL" -d "raw:$AUDIO" -s 1 > "$T/said" 2> "$T/err2"; }
	printf '[control]\npath = %s/run/control\n' "$T" > "$T/k.conf"
	cat "$T/in.raw" >&7
	doctor
	grep -q "^ok   kwsd listens to raw:$T/mic" "$T/said" || fail "$(cat "$T/said")"
	ctl off
	doctor
	grep -q "^odd  kwsd does not listen" "$T/said" && grep -q "kws ctl on" "$T/said" || fail "off: $(cat "$T/said")"
	ctl on
	printf '[decision]\nthreshold = 7\n' >> "$T/k.conf"
	ctl reload
	printf '[control]\npath = %s/run/control\n' "$T" > "$T/k.conf"
	doctor
	grep -q "^odd  kwsd has not taken its configuration: .*7 is not in" "$T/said" || fail "refused: $(cat "$T/said")"
	exec 7>&-
	kwsd_stop
	doctor
	! grep -q "kwsd listens\|control socket" "$T/said" || fail "nobody is there: $(cat "$T/said")"
}

# docs/shell.md: each command on it does what it says there.
test_ctl_page() { # at most 60 s
	need jq
	local i pages=; ctl_start
	export KWS_CONTROL=$T/run/control PATH=$B:$PATH
	for i in 1 2 3 4 5; do page_blocks ctl.ctl_page "$i" > "$T/page.$i"; done
	for i in 1 2 3; do # each ends with all that it started, at the latest after 40 s
		timeout 40 bash "$T/page.$i" > "$T/page.$i.out" 2> "$T/page.$i.err" &
		pages="$pages $!"
	done
	clients() { [ "$(kws ctl --json | jq '.status.control.clients')" -ge 4 ]; } # and this one
	await 10 clients || fail "the pages do not listen: $(cat "$T"/page.*.err)"
	cat "$T/in.raw" >&7
	await 10 lines "$T/page.1.out" "$N" || fail "events: $(cat "$T/page.1.out")"
	[ "$(cut -f 2 "$T/page.1.out")" = "$(field word < "$T/want")" ] || fail "other words: $(cat "$T/page.1.out")"
	await 10 grep -qx 'somebody said stop' "$T/page.2.out" || fail "stop: $(cat "$T/page.2.out")"
	await 10 grep -q '^-[0-9]' "$T/page.3.out" || fail "levels: $(cat "$T/page.3.out")"
	bash "$T/page.4" > "$T/state.json" || fail "state: $?"
	[ "$(jq -r '.heard[0].state' "$T/state.json")" = running ] || fail "state: $(cat "$T/state.json")"
	bash -e "$T/page.5" || fail "settings: $?"
	kws ctl --json | jq -e '.status.listeners[0] | .enabled and .spotters[0].words.stop == 0.85' || fail "settings: $(kws ctl --json)"
	# shellcheck disable=SC2086
	kill $pages
	# shellcheck disable=SC2086
	wait $pages
	:
}

# examples/voice_assistant.py: a word becomes a command to the peripheral API of linux-voice-assistant, here played by a server.
test_ctl_assistant() { # at most 60 s
	local python=/usr/bin/python3 want # Debian's, for its packages
	$python -c 'import websockets' 2>/dev/null || skip 'python3-websockets is not installed'
	ctl_start
	$python - "$T/port" > "$T/asked" <<-X &
		import asyncio, sys, websockets
		async def hear(peer, path=None):
		    await peer.send('{"event": "snapshot", "data": {"muted": false}}')
		    async for text in peer:
		        print(text, flush=True)
		async def main():
		    async with websockets.serve(hear, "127.0.0.1", 0) as server:
		        open(sys.argv[1], "w").write(str(server.sockets[0].getsockname()[1]))
		        await asyncio.sleep(50)
		asyncio.run(main())
	X
	PIDS="$PIDS $!"
	await 10 test -s "$T/port" || fail "no server"
	export KWS_CONTROL=$T/run/control
	timeout 50 bash -c "'$KWS' ctl events --json --follow | $python examples/voice_assistant.py stop yes --url ws://127.0.0.1:$(cat "$T/port")" \
		> "$T/told" 2> "$T/told2" &
	local assistant=$!
	listens() { [ "$("$KWS" ctl --json | sed -n 's/.*"clients":\([0-9]*\).*/\1/p')" -ge 2 ]; } # and this one
	await 10 listens
	cat "$T/in.raw" >&7
	want=$(field word < "$T/want" | grep -c -x -e stop -e yes)
	await 10 lines "$T/asked" "$want" || fail "asked: $(cat "$T/asked" "$T/told" "$T/told2")"
	grep -vqx '{"command": "start_listening"}' "$T/asked" && fail "asked: $(cat "$T/asked")"
	lines "$T/told" "$want" || fail "told: $(cat "$T/told")"
	kill $assistant
	wait $assistant
	:
}
