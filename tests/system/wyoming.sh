# wyoming.sh - kwsd-wyoming with the client of the protocol's own library, with many clients, and with hostile ones

WYOMING=$B/kwsd-wyoming

# wyoming_start [OPTION...]: at port $PORT of 127.0.0.1, and $ALSO; log in $T/err, process in $P
wyoming_start() {
	for PORT in $(shuf -i 20000-60000 -n 10); do
		: > "$T/err"
		"$WYOMING" -c "${CONF:-/dev/null}" -o "wyoming.uri=${ALSO:-} tcp://127.0.0.1:$PORT" -o "model.path=$MODEL" "$@" 2>> "$T/err" &
		P=$!
		PIDS="$PIDS $P"
		await 20 grep -q -e "clients connect" -e "in use" "$T/err" || fail "no start"
		grep -q "in use" "$T/err" || return
	done
	fail "no free port"
}
wyoming_stop() {
	kill -TERM "$P"
	wait "$P" || fail "kwsd-wyoming ended with status $? after SIGTERM"
}
# The library's client; made once for all tests of a run, as it comes from PyPI.
library() {
	need python3
	LIBRARY=${KWS_WYOMING_VENV:-${TMPDIR:-/tmp}/kws-wyoming-venv.$(id -u)}
	[ -x "$LIBRARY/bin/python" ] && "$LIBRARY/bin/python" -c 'import wyoming' 2> /dev/null && return
	rm -rf "$LIBRARY"
	python3 -m venv "$LIBRARY" > "$T/log" 2>&1 || skip "python3 makes no virtual environment"
	timeout 100 "$LIBRARY/bin/pip" install -q wyoming==1.10.2 > "$T/log" 2>&1 || { rm -rf "$LIBRARY"; skip "pip cannot get wyoming 1.10.2"; }
}
client() { "$LIBRARY/bin/python" tests/system/wyoming_client.py "$@" 2> "$T/err2" || fail "client $*: $(tail -n 3 "$T/err2")" >&2; }
# what `kws spot` finds, as lines "word ms"
spotted() { offline "$@" | sed -n 's/.*"word":"\([^"]*\)","start":\([0-9.]*\),.*/\1 \2/p' | awk '{printf "%s %.0f\n", $1, 1000 * $2}'; }

# Detections are those of kws spot on the same file, at any rate, width and number of channels, by every kind of address.
test_library() { # at most 180 s
	need sox
	library
	wyoming_start
	[ "$(client "tcp://127.0.0.1:$PORT" words | tr '\n' ' ')" = "yes no up down left right on off stop go " ] || fail "words"
	[ "$(client "tcp://127.0.0.1:$PORT" ping)" = pong ] || fail "ping"
	local rate channels bits
	while read -r rate channels bits; do
		sox -D "$AUDIO" -r "$rate" -c "$channels" -b "$bits" -t wavpcm "$T/in.wav"
		spotted "$T/in.wav" > "$T/want"
		lines "$T/want" 8 || fail "kws spot finds little at $rate Hz: $(cat "$T/want")"
		client "tcp://127.0.0.1:$PORT" hear "$T/in.wav" > "$T/got"
		diff "$T/want" "$T/got" || fail "$rate Hz, $channels channels, $bits bits"
	done <<-X
		16000 1 16
		48000 2 24
		44100 1 32
		22050 1 16
	X
	# what comes to nothing, wanted words, unknown words
	sox -n -r 16000 -c 1 -b 16 "$T/quiet.wav" synth 2 whitenoise vol 0.001
	[ "$(client "tcp://127.0.0.1:$PORT" hear "$T/quiet.wav")" = "not-detected " ] || fail "silence"
	client "tcp://127.0.0.1:$PORT" hear "$T/in.wav" on nosuch > "$T/got"
	grep "^on " "$T/want" | diff - "$T/got" || fail "wanted words"
	client "tcp://127.0.0.1:$PORT" hear "$T/in.wav" okay_nabu > "$T/got"
	grep -qx "error unknown-wake-word" "$T/got" || fail "an unknown word"
	wyoming_stop
	# a Unix socket, and two addresses at once
	ALSO=unix://$T/w wyoming_start -o wyoming.mode=0600
	await 20 test -S "$T/w" || fail "no socket"
	[ "$(stat -c %a "$T/w")" = 600 ] || fail "the mode of the socket"
	client "unix://$T/w" hear "$T/in.wav" | diff "$T/want" - || fail "by a Unix socket"
	client "tcp://127.0.0.1:$PORT" ping > /dev/null
	wyoming_stop
	[ ! -e "$T/w" ] || fail "the socket is left behind"
}

# One client at standard input and output; it ends with it.
test_stdio() { # at most 60 s
	printf '{"type": "describe"}\n{"type": "ping", "data": {"text": "x"}}\n' > "$T/in"
	"$WYOMING" -c /dev/null -o wyoming.uri=stdio:// -o "model.path=$MODEL" < "$T/in" > "$T/out" 2> "$T/err" || fail "a file: status $?"
	grep -q '^{"type": "info"' "$T/out" || fail "no info in a file"
	printf '%s' '{"text": "x"}' > "$T/want"
	tail -c 13 "$T/out" | cmp -s - "$T/want" || fail "no pong at the end"
	"$WYOMING" -c /dev/null -o wyoming.uri=stdio:// -o "model.path=$MODEL" 2> "$T/err" < <(cat "$T/in") | cat > "$T/out2"
	cmp "$T/out" "$T/out2" || fail "by pipes"
}

test_refuses() { # at most 60 s
	local uri
	for uri in tcp://127.0.0.1 tcp://:10400 tcp://::1:10400 tcp://127.0.0.1:65536 tcp://127.0.0.1:0x10 unix://w http://x stdio://x "stdio:// tcp://127.0.0.1:1" ''; do
		"$WYOMING" -t -c /dev/null -o "model.path=$MODEL" -o "wyoming.uri=$uri" > "$T/out" 2> "$T/err"
		[ $? = 78 ] && grep -q "\[wyoming\] uri: " "$T/err" || fail "'$uri' is taken"
	done
	"$WYOMING" -t -c /dev/null -o "model.path=$MODEL" -o "wyoming.uri=tcp://[::1]:10400 tcp://localhost:10401 unix:///tmp/w" > "$T/out" 2> "$T/err" || fail "good addresses"
	"$WYOMING" -t -c /dev/null -o model.path=/nowhere > "$T/out" 2> "$T/err"
	[ $? = 78 ] && logged "/nowhere" || fail "a model that is not there"
	"$WYOMING" -t -c /dev/null -o "model.path=$MODEL" -o threshold.yess=0.5 > "$T/out" 2> "$T/err"
	[ $? = 78 ] && logged "did you mean 'yes'" || fail "a word that is none"
	wyoming_start
	"$WYOMING" -c /dev/null -o "model.path=$MODEL" -o "wyoming.uri=tcp://127.0.0.1:$PORT" > "$T/out" 2> "$T/err3"
	[ $? = 71 ] && grep -q "127.0.0.1:$PORT: Address already in use" "$T/err3" || fail "a port in use: $(cat "$T/err3")"
	wyoming_stop
}

# Words change while it runs: by SIGHUP, and when a model file changes; what is wrong changes nothing.
test_reload() { # at most 120 s
	need socat
	local words='echo {\"type\":\"describe\"}'
	offered() { eval "$words" | socat -t 20 - "TCP:127.0.0.1:$PORT" | grep -o '"phrase": "[^"]*"' | cut -d'"' -f4 | tr '\n' ' '; }
	no_yes() { case "$(offered)" in "no up "*) ;; *) false ;; esac; }
	yes_again() { case "$(offered)" in "yes no "*) ;; *) false ;; esac; }
	has_own() { case "$(offered)" in *computer*) ;; *) false ;; esac; }
	cp "$MODEL" "$T/model.safetensors"
	MODEL=$T/model.safetensors CONF=$T/k.conf
	: > "$CONF"
	wyoming_start
	yes_again || fail "at the start: $(offered)"
	printf '[threshold]\nyes = off\n' > "$CONF"
	kill -HUP "$P"
	await 20 no_yes || fail "after SIGHUP: $(offered)"
	printf '[threshold]\nyess = off\n' > "$CONF"
	kill -HUP "$P"
	await 20 logged "did you mean 'yes'" || fail "a bad word is not refused"
	printf '[threshold\n' > "$CONF"
	kill -HUP "$P"
	await 20 logged "reload refused" || fail "a bad file is not refused"
	no_yes || fail "what is wrong has changed something: $(offered)"
	: > "$CONF"
	kill -HUP "$P"
	await 20 yes_again || fail "back: $(offered)"
	# a model file that changes as kws enrol does it, in one step, and one that is damaged
	cp config/models/wake-words.safetensors "$T/own.safetensors"
	mv "$T/own.safetensors" "$T/model.safetensors"
	await 20 has_own || fail "a new word does not appear: $(offered)"
	head -c 1000 "$T/model.safetensors" > "$T/half"
	mv "$T/half" "$T/model.safetensors"
	await 20 logged "the words stay as they were" || fail "a damaged model is not refused"
	has_own || fail "a damaged model has changed something"
	wyoming_stop
}

# A hundred clients at once, each is told the words of its audio; meanwhile describe is answered.
test_hundred() { # at most 180 s
	need sox
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 -e signed -t raw "$T/in.raw" trim 0 10
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 "$T/in.wav" trim 0 10
	spotted "$T/in.wav" | tr '\n' ';' | sed 's/$/\n/' > "$T/want"
	wyoming_start
	local t c; t=$(now_ms) c=$(awk '{print $14 + $15}' "/proc/$P/stat")
	"$B/wyoming_crowd" "$PORT" stream 100 "$T/in.raw" > "$T/got" 2> "$T/times" || fail "the crowd: $(cat "$T/times")"
	cat "$T/times"
	awk -v ms=$(($(now_ms) - t)) -v c=$(($(awk '{print $14 + $15}' "/proc/$P/stat") - c)) -v hz="$(getconf CLK_TCK)" -v own="$(awk '/^VmHWM/ {print $2}' "/proc/$P/status")" \
		'BEGIN {printf "100 clients: %.1f %% of a core, %.1f s of processor for 1000 s of audio; at most %.1f MB resident\n", 100000 * c / hz / ms, c / hz, own / 1000}'
	sort -u "$T/got" | diff "$T/want" - || fail "not all have heard the same"
	lines "$T/got" 100 || fail "not all have come back"
	wyoming_stop
}

own_kb() { awk '/^RssAnon/ {print $2}' "/proc/$P/status"; }
# Those who do what nobody should take no word away from the others, and leave nothing behind.
test_hostile() { # at most 180 s
	need sox socat
	local h rss more
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 -e signed -t raw "$T/in.raw" trim 0 10
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 "$T/in.wav" trim 0 10
	spotted "$T/in.wav" | tr '\n' ';' | sed 's/$/\n/' > "$T/want"
	wyoming_start
	"$B/wyoming_crowd" "$PORT" hostile 13 & h=$!
	PIDS="$PIDS $h"
	"$B/wyoming_crowd" "$PORT" stream 5 "$T/in.raw" > "$T/got" 2> "$T/times" || fail "the crowd: $(cat "$T/times")"
	cat "$T/times"
	sort -u "$T/got" | diff "$T/want" - || fail "not all have heard the same"
	wait $h || fail "the hostile ended with status $?"
	logged "is sent away: the header is no JSON" || fail "nobody was sent away"
	# ten thousand connections: not a page more. Clients who come before the last has gone take the heap a step higher, which is no
	# leak: a leak takes it higher each time.
	"$B/wyoming_crowd" "$PORT" connects 10000 || fail "connects"
	for _ in 1 2 3 4 5; do
		rss=$(own_kb)
		"$B/wyoming_crowd" "$PORT" connects 10000 || fail "connects"
		more=$(($(own_kb) - rss))
		[ $more -gt 64 ] || break
	done
	[ $more -le 64 ] || fail "each ten thousand clients leave more behind, the last $more KiB"
	wyoming_stop
}

# What avahi announces is what systemd listens on, and what the configuration has.
test_announcement() { # at most 30 s
	need python3
	python3 - <<-X || fail "config/avahi/kwsd-wyoming.service"
		import re, xml.etree.ElementTree as xml
		service = xml.parse("config/avahi/kwsd-wyoming.service").getroot().find("service")
		assert service.find("type").text == "_wyoming._tcp"
		port = service.find("port").text
		assert "ListenStream=127.0.0.1:" + port + "\n" in open("systemd/kwsd-wyoming.socket").read()
		assert "#uri = tcp://127.0.0.1:" + port + "\n" in open("config/kwsd.conf").read()
	X
}
