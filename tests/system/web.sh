# web.sh - kwsd-web: metrics, the page in a real Chromium, hostile clients, the daemon dying and coming back
# shellcheck disable=SC2154 # T, B, ROOT are of lib.sh

WEB=$B/kwsd-web

# web_daemon [OPTION...]: kwsd, whose microphone, $T/mic, hears the recording again and again
web_daemon() {
	audio 16000 raw "$T/in.raw"
	[ -p "$T/mic" ] || mkfifo "$T/mic"
	while :; do pace "$T/in.raw" 32000; done > "$T/mic" 2> /dev/null &
	FEED=$!
	PIDS="$PIDS $FEED"
	kwsd_start -d "raw:$T/mic" "$@" -o stdout.enabled=no -o "control.path=$T/control" -o "control.state=$T/kept.conf"
	await 20 test -S "$T/control" || fail "kwsd has no control socket"
}

# web_start [OPTION...]: kwsd-web on a free port, $PORT; process $W
web_start() {
	[ -x "$WEB" ] || skip "kwsd-web is not built"
	need curl python3
	PORT=${PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
	URL=http://127.0.0.1:$PORT
	"$WEB" -c /dev/null -o "control.path=$T/control" -o "web.listen=127.0.0.1:$PORT" "$@" 2>> "$T/err.web" &
	W=$!
	PIDS="$PIDS $W"
	await 20 curl -s -m 10 -o /dev/null "$URL/metrics" || fail "kwsd-web does not answer"
}
get() { curl -s -m 10 "$@"; }
metric() { get "$URL/metrics" | awk -v name="$1" '$1 == name {print $2}'; }

test_metrics() { # at most 100 s
	need promtool
	web_daemon -o "file.path=$T/events" -o "clips.dir=$T"
	web_start
	heard() { [ "$(metric 'kws_detections_total{listener="",spotter="",word="yes"}')" -ge 1 ]; }
	await 30 heard || fail "yes was not counted"
	get "$URL/metrics" > "$T/metrics"
	promtool check metrics < "$T/metrics" > "$T/log" 2>&1 || fail "promtool: $(cat "$T/log")"
	[ ! -s "$T/log" ] || fail "promtool says something"
	for name in kws_up kws_info kws_resident_memory_bytes kws_reloads_total 'kws_audio_seconds_total{' 'kws_gaps_total{' 'kws_overflows_total{' \
		'kws_near_misses_total{' 'kws_score_bucket{' 'kws_hop_duration_seconds_count{' 'kws_level_dbfs{' 'kws_sink_dropped_events_total{sink="file"' \
		'kws_clips_written_total' 'kws_threshold{'; do
		grep -qF "$name" "$T/metrics" || fail "no $name"
	done
	# what the examples watch is there
	promtool check rules docs/alerts.yml > "$T/log" 2>&1 || fail "promtool: $(cat "$T/log")"
	grep -oh 'kws_[a-z_]*' docs/alerts.yml docs/grafana.json | sort -u | while read -r name; do
		grep -q "^$name" "$T/metrics" || { echo "$name" >> "$T/missing"; }
	done
	[ ! -e "$T/missing" ] || fail "docs/alerts.yml or docs/grafana.json ask for $(cat "$T/missing")"
	python3 -m json.tool docs/grafana.json > /dev/null || fail "docs/grafana.json"
	# the daemon hangs: that is said, and nobody waits for ever
	is_up() { [ "$(metric kws_up)" = "$1" ]; }
	kill -STOP "$P"
	await 25 is_up 0 || fail "kws_up of a daemon that hangs: $(metric kws_up)"
	[ "$(get -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{"on":true}' "$URL/listen")" = 503 ] || fail "an order to a daemon that hangs"
	kill -CONT "$P"
	await 20 is_up 1 || fail "kws_up of a daemon that goes on"
	# the daemon dies and comes back
	kill -KILL "$P"
	await 20 is_up 0 || fail "kws_up without a daemon: $(metric kws_up)"
	web_daemon
	await 15 is_up 1 || fail "kws_up with a daemon again: $(metric kws_up)"
}

test_textfile() { # at most 40 s
	need promtool
	[ -x "$WEB" ] || skip "kwsd-web is not built"
	web_daemon
	mkdir "$T/node"
	"$WEB" -c /dev/null -o "control.path=$T/control" -o web.listen= -o "web.textfile=$T/node/kws.prom" -o web.textfile_s=5 2>> "$T/err.web" &
	PIDS="$PIDS $!"
	await 15 grep -q '^kws_up 1' "$T/node/kws.prom" || fail "no textfile: $(cat "$T/node/kws.prom")"
	promtool check metrics < "$T/node/kws.prom" || fail "promtool"
	[ "$(ls "$T/node")" = kws.prom ] || fail "left behind: $(ls "$T/node")"
	rm "$T/node/kws.prom"
	await 15 test -s "$T/node/kws.prom" || fail "written once only"
}

test_refused() { # what is wrong is said, with status 78
	[ -x "$WEB" ] || skip "kwsd-web is not built"
	refused() { # WHAT OPTION...: -t refuses it
		local want=$1
		shift
		timeout 10 "$WEB" -t -c /dev/null "$@" > "$T/log" 2>&1
		[ $? = 78 ] || fail "status for $*"
		grep -qe "$want" "$T/log" || fail "no word of \"$want\": $(cat "$T/log")"
	}
	echo short > "$T/token"
	refused 'listen: localhost:80: want an address and a port' -o web.listen=localhost:80
	refused 'other machines can reach 0.0.0.0:8591' -o web.listen=0.0.0.0:8591
	refused 'token: .*/token: want one line of 16 to 128' -o "web.token=$T/token"
	refused 'token: .*/none: No such file' -o "web.token=$T/none"
	refused 'clips: yes, but .clips. dir is off' -o web.clips=yes
	echo 0123456789abcdef > "$T/token"
	"$WEB" -t -c /dev/null -o web.listen=0.0.0.0:8591 -o "web.token=$T/token" > "$T/log" 2>&1 || fail "$(cat "$T/log")"
	grep -q 0123456789abcdef "$T/log" && fail "-t prints the token"
	PORT=
	web_start
	timeout 10 "$WEB" -c /dev/null -o "control.path=$T/control" -o "web.listen=127.0.0.1:$PORT" > "$T/log" 2>&1
	[ $? = 71 ] && grep -q "listen: 127.0.0.1:$PORT: Address already in use" "$T/log" || fail "an address in use: $(cat "$T/log")"
}

test_http() { # at most 120 s
	mkdir "$T/clips"
	web_daemon -o "clips.dir=$T/clips"
	printf RIFFxxxx > "$T/clips/20261126T060102.345Z-yes-98.wav"
	ln -s /etc/passwd "$T/clips/20261126T060102.345Z-link-98.wav"
	web_start -o web.clips=yes -o "clips.dir=$T/clips" -o web.pages=4
	timeout 100 python3 tests/system/web_http.py "$PORT" "$W" || fail "web_http.py"
	# with a token, and after a reload that changes it
	echo 0123456789abcdef > "$T/token"
	PORT=
	web_start -o "web.token=$T/token"
	code() { get -o /dev/null -w '%{http_code}' "$@" "$URL/status"; }
	is() { [ "$(code "${@:2}")" = "$1" ]; }
	await 20 is 401 || fail "without the token: $(code)"
	[ "$(code -u any:0123456789abcdef)" = 200 ] || fail "with the token as password"
	[ "$(code -H 'Authorization: Bearer 0123456789abcdef')" = 200 ] || fail "with the token"
	echo fedcba9876543210 > "$T/token"
	kill -HUP "$W"
	await 20 is 401 -u any:0123456789abcdef || fail "the old token is taken"
	[ "$(code -u any:fedcba9876543210)" = 200 ] || fail "the new token"
	curl -sN -m 100 -u any:fedcba9876543210 "$URL/events" > "$T/page" &
	PIDS="$PIDS $!"
	await 30 grep -q '^data: {"mel"' "$T/page" || fail "a page is told nothing after a reload"
	echo short > "$T/token"
	kill -HUP "$W"
	await 20 grep -q 'reload refused' "$T/err.web" || fail "a wrong token is taken"
	[ "$(code -u any:fedcba9876543210)" = 200 ] || fail "after a refused reload"
}

test_readers() { # at most 120 s
	web_daemon
	web_start
	clients() { metric kws_control_clients; }
	for i in $(seq 20); do
		curl -sN -m 100 "$URL/events" > "$T/page.$i" &
		PIDS="$PIDS $!"
	done
	pages() { [ "$(metric kws_web_pages)" = 20 ]; }
	await 20 pages || fail "$(metric kws_web_pages) pages"
	[ "$(clients)" = 1 ] || fail "$(clients) clients of the daemon for 20 pages"
	told() { for i in $(seq 20); do grep -q '^data: {"event"' "$T/page.$i" && grep -q '^data: {"mel"' "$T/page.$i" || return 1; done; }
	await 60 told || fail "some pages were not told"
	[ "$(clients)" = 1 ] || fail "$(clients) clients of the daemon for 20 pages"
	[ "$(metric kws_control_dropped_lines_total)" = 0 ] || fail "lines were lost"
	# no sound leaves: only these
	cat "$T"/page.* | sed -n 's/^data: {"\([a-z_]*\)".*/\1/p' | sort -u > "$T/kinds"
	grep -vxE 'hello|daemon|status|event|near_miss|level|scores|mel' "$T/kinds" && fail "pages get more than they may"
	true
}

test_page() { # at most 150 s
	need chromium
	mkdir "$T/clips"
	web_daemon -o "clips.dir=$T/clips" -o clips.near_miss=0.5
	web_start -o web.clips=yes -o "clips.dir=$T/clips"
	mkdir "$T/pictures"
	timeout 140 python3 tests/system/web_page.py "$URL" "$T" "$P" > "$T/log" 2>&1 &
	local page=$!
	PIDS="$PIDS $page"
	# it kills the daemon, and waits for another
	while kill -0 $page 2> /dev/null && [ ! -e "$T/dead" ]; do sleep 0.2; done
	# which hears hardly anything
	if [ -e "$T/dead" ]; then
		kill "$FEED"
		sox -D "$AUDIO" -r 16000 -b 16 "$T/quiet.wav" vol 0.003
		AUDIO=$T/quiet.wav
		web_daemon
	fi
	wait $page || fail "web_page.py"
	cat "$T/log"
	[ -z "${KWS_PICTURES:-}" ] || cp "$T"/pictures/*.png "$KWS_PICTURES"
}

test_microphones() { # at most 90 s
	need chromium
	pulse_start
	audio 16000 wav "$T/in16.wav"
	audio 48000 wav "$T/in48.wav" 2
	kwsd_start -o "audio kitchen.device=kws16" -o "audio attic.device=kws48" -o stdout.enabled=no -o "control.path=$T/control"
	await 20 test -S "$T/control" || fail "kwsd has no control socket"
	while :; do
		play kws16 "$T/in16.wav" &
		sleep 3
		play kws48 "$T/in48.wav"
		wait $!
	done 2> /dev/null &
	PIDS="$PIDS $!"
	web_start
	mkdir "$T/pictures"
	timeout 80 python3 tests/system/web_two.py "$URL" "$T" ${KWS_PICTURES:+slowly} > "$T/log" 2>&1 || fail "web_two.py"
	[ -z "${KWS_PICTURES:-}" ] || cp "$T"/pictures/*.png "$KWS_PICTURES"
}
