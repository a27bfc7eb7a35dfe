# reload.sh - another configuration or model in the middle of the sound: taken whole, or not at all

# Good and bad configurations, one after the other, while words are being spoken: no event is lost, doubled or moved.
test_reload_under_load() { # at most 90 s
	start_slow
	sox "$T/in.wav" "$T/in.wav" "$T/twice.wav"
	offline "$T/twice.wav" > "$T/want"
	( for _ in 1 2; do pace "$T/in.raw" 512000; done ) >&7 &
	local feeder=$! i=0
	while kill -0 $feeder 2> /dev/null; do
		i=$((i + 1))
		case $((i % 4)) in
		0) echo > "$T/k.conf" ;;
		1) echo "[decision]
threshold = 7" > "$T/k.conf" ;;
		2) echo "[socket]
path = $T/sock$((i % 3))" > "$T/k.conf" ;;
		3) echo "[model]
path = /dev/null
[log]
level = info
[hook]
command = /nonexistent" > "$T/k.conf" ;;
		esac
		kill -HUP "$P"
		sleep 0.1
	done
	exec 7>&-
	await 5 lines "$T/out" "$(wc -l < "$T/want")"
	kwsd_stop
	[ "$(n_logged 'reloaded: configuration')" -ge 3 ] || fail "few reloads"
	[ "$(n_logged 'reload refused')" -ge 3 ] || fail "bad ones were not refused"
	diff <(field decided_sample < "$T/want") <(field decided_sample < "$T/out") || fail "times moved"
	[ "$(words "$T/out")" = "$(words "$T/want")" ] || fail "heard $(words "$T/out")"
	[ ! -e "$T/sock0" ] && [ ! -e "$T/sock1" ] && [ ! -e "$T/sock2" ] || fail "sockets are left behind"
}

# Another file with the same network is another model: it takes over in the middle of words, from the last seconds of sound.
test_reload_of_the_model() { # at most 90 s
	cp "$MODEL" "$T/a.safetensors"
	# a character of the description differs, nothing else: same length, other hash
	LC_ALL=C sed '1s/"creator":"\(.\)/"creator":"X/; 1s/"licence":"\(.\)/"licence":"X/; 1s/"name":"\(.\)/"name":"X/' "$MODEL" > "$T/b.safetensors"
	cmp -s "$T/a.safetensors" "$T/b.safetensors" && skip "the model file has no name to change"
	"$KWS" model "$T/b.safetensors" > /dev/null 2>&1 || skip "the changed model file is refused"
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	mkfifo "$T/mic"
	ln -s a.safetensors "$T/m.safetensors"
	"$KWSD" -c /dev/null -m "$T/m.safetensors" -d "raw:$T/mic" -o stdout.enabled=yes -o journal.enabled=no > "$T/out" 2> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	exec 7> "$T/mic"
	pace "$T/in.raw" 256000 >&7 &
	local feeder=$! m=a
	while kill -0 $feeder 2> /dev/null; do
		[ $m = a ] && m=b || m=a
		ln -sfn $m.safetensors "$T/m.safetensors"
		kill -HUP "$P"
		sleep 0.2
	done
	exec 7>&-
	sleep 0.5
	kwsd_stop
	[ "$(n_logged 'reloaded: configuration and model')" -ge 3 ] || fail "few models were swapped: $(n_logged reloaded:)"
	[ "$(field model_hash < "$T/out" | sort -u | wc -l)" = 2 ] || fail "both models should have heard something"
	# A network that knows only the last seconds may score a little differently, but each word is heard once, in its time.
	awk 'NR == FNR {word[++n] = $1; at[n] = $2; next}
		{for (i = 1; i <= n; i++) if ($1 == word[i] && ($2 - at[i]) ^ 2 < 8000 ^ 2) heard[i]++}
		END {for (i = 1; i <= n; i++) if (heard[i] != 1) {print word[i], heard[i] + 0; exit 1}}' \
		<(paste <(field word < "$T/want") <(field decided_sample < "$T/want")) \
		<(paste <(field word < "$T/out") <(field decided_sample < "$T/out")) ||
		fail "heard $(words "$T/out"), want $(words "$T/want")"
}

# A legal model that would need more time than passes: refused with the ratio, at the start and on reload, where the old one goes on.
test_model_too_slow() { # at most 60 s
	wide_model "$T/slow.safetensors" 7 64 1   # its weights fit no cache
	"$KWS" model "$T/slow.safetensors" > "$T/out" || fail "is no legal model"
	"$KWSD" -c /dev/null -m "$T/slow.safetensors" -d raw:- < /dev/null 2> "$T/err"
	[ $? = 78 ] || fail "status is not EX_CONFIG"
	logged 'slow.safetensors: too slow for this machine: [0-9.]* s of processor for a second of audio, at most 0.8' || fail "not told why"
	"$KWSD" -t -c /dev/null -m "$T/slow.safetensors" > "$T/out" 2> "$T/err" && fail "kwsd -t takes it"
	ln -s "$MODEL" "$T/m.safetensors"
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	mkfifo "$T/mic"
	kwsd_start -m "$T/m.safetensors" -d "raw:$T/mic"
	exec 7> "$T/mic"
	ln -sfn slow.safetensors "$T/m.safetensors"
	pace "$T/in.raw" 256000 >&7 & PIDS="$PIDS $!"
	kill -HUP "$P"
	await 20 logged 'reload refused' || fail "a reload takes it"
	exec 7>&-
	await 20 lines "$T/out" "$(wc -l < "$T/want")"
	kwsd_stop
	[ "$(words "$T/out")" = "$(words "$T/want")" ] || fail "heard $(words "$T/out")"
}

# A reload that is refused: old readers and new ones get the next events.
test_refused_reload() { # at most 40 s
	need socat
	start_slow
	printf '[socket]\npath = %s/sock\nmode = 0660\n[file]\npath = %s/events\n' "$T" "$T" > "$T/k.conf"
	kill -HUP "$P"
	await 5 test -S "$T/sock" || fail "no socket"
	socat -u UNIX-CONNECT:"$T/sock" - > "$T/old" & PIDS="$PIDS $!"
	local i=0 bad
	for bad in '[hook]\ncommand = /nonexistent' '[threshold]\nnonsense = 0.5' '[file]\npath = /nonexistent/x' \
		'[clips]\ndir = /nonexistent' '[socket]\npath = /nonexistent/x' '[socket]\ngroup = no-such-group'; do
		i=$((i + 1))
		printf "[socket]\npath = $T/sock\nmode = 0600\n[file]\npath = $T/other\n$bad\n" > "$T/k.conf"
		kill -HUP "$P"
		await 5 eval '[ "$(n_logged "reload refused")" = $i ]' || fail "not refused: $bad"
		[ -S "$T/sock" ] || fail "the socket is gone after $bad"
		[ "$(stat -c %a "$T/sock")" = 660 ] || fail "the socket is another one after $bad"
		[ ! -e "$T/other" ] || fail "a file was made by $bad"
	done
	socat -u UNIX-CONNECT:"$T/sock" - > "$T/new" & PIDS="$PIDS $!"
	sleep 0.3
	cat "$T/in.raw" >&7
	await 10 lines "$T/old" "$N" || fail "the old reader has $(wc -l < "$T/old") of $N events"
	await 5 lines "$T/new" "$N" || fail "the new reader has $(wc -l < "$T/new") of $N events"
	await 5 lines "$T/events" "$N" || fail "the file has $(wc -l < "$T/events") of $N events"
	# one that is accepted and changes the socket: the readers stay
	printf '[socket]\npath = %s/sock\nmode = 0600\n' "$T" > "$T/k.conf"
	kill -HUP "$P"
	await 5 eval '[ "$(n_logged "reloaded:")" = 2 ]' || fail "not reloaded"
	[ "$(stat -c %a "$T/sock")" = 600 ] || fail "mode $(stat -c %a "$T/sock")"
	cat "$T/in.raw" >&7
	await 10 lines "$T/old" $((2 * N)) || fail "the old reader has $(wc -l < "$T/old") of $((2 * N)) events"
	exec 7>&-
	kwsd_stop
	[ -z "$(find "$T" -name 'sock*')" ] || fail "left behind: $(ls -A "$T")"
}

# The model's file is cut and written over while the daemon reads it anew.
test_model_written_over() { # at most 40 s
	local m=$MODEL i before
	cp "$m" "$T/m.safetensors"
	MODEL=$T/m.safetensors start_slow
	for i in $(seq 20); do
		before=$(grep -c "reload" "$T/err")
		kill -HUP "$P"
		: > "$T/m.safetensors"; cat "$m" > "$T/m.safetensors"
		await 5 eval '[ "$(grep -c reload "$T/err")" -gt '"$before"' ]' || fail "no answer to a reload"
		kill -0 "$P" || fail "kwsd is gone"
	done
	exec 7>&-
	kwsd_stop
}
