# control.sh - signals, configuration, limits, what systemd is told

test_check_configuration() { # at most 20 s
	printf '[decision]\nthreshold = 1.7\n[audio]\nrate = 16000\n' > "$T/bad.conf"
	"$KWSD" -t -c "$T/bad.conf" > "$T/out" 2> "$T/err" && fail "accepted"
	logged "bad.conf:2: \[decision\] threshold: 1.7 is not in 0..1" || fail "no line, key, value and range"
	logged "bad.conf:4: \[audio\] rate: no such key" || fail "only one error told"
	"$KWSD" -t -c /dev/null -m "$MODEL" -o audio.channel=2 > "$T/a.conf" 2> "$T/err" || fail "refused"
	"$KWSD" -t -c "$T/a.conf" > "$T/b.conf" 2>> "$T/err" || fail "refused what it printed"
	cmp "$T/a.conf" "$T/b.conf" || fail "prints something else than it read"
	grep -q '^channel = 2' "$T/b.conf" || fail "the override is not in force"
	"$KWSD" -t -c "$T/none.conf" 2> /dev/null && fail "a missing file was accepted"
	# sections that repeat, and drop-ins beside the file
	mkdir "$T/conf.d"
	printf '[audio kitchen]\ndevice = raw:/a\n[audio attic]\ndevice = raw:/b\n[model]\npath = %s\n' "$MODEL" > "$T/a.conf"
	printf '[audio attic]\ndevice = raw:/c\n' > "$T/conf.d/10-attic.conf"
	printf '[audio attic]\nchannel = 1\n' > "$T/conf.d/20-attic.conf"
	"$KWSD" -t -c "$T/a.conf" -o 'audio kitchen.rate_hz=8000' > "$T/b.conf" 2> "$T/err" || fail "refused"
	grep -A 4 '^\[audio kitchen\]' "$T/b.conf" | paste -sd, | grep -q 'device = raw:/a,.*rate_hz = 8000' || fail "not as it should be"
	grep -A 7 '^\[audio attic\]' "$T/b.conf" | paste -sd, | grep -q 'device = raw:/c,.*channel = 1' || fail "the drop-ins are not in force"
	"$KWSD" -t -c "$T/a.conf" -d raw:- > "$T/out" 2> "$T/err" && fail "-d says which of two microphones"
	logged 'there is no plain \[audio\], only \[audio kitchen\], \[audio attic\]' || fail "not told why"
	printf '\n[audio attic]\nchanel = 1\n' > "$T/conf.d/20-attic.conf"
	"$KWSD" -t -c "$T/a.conf" > "$T/out" 2> "$T/err" && fail "a wrong drop-in was accepted"
	logged "error: $T/conf.d/20-attic.conf:3: \[audio attic\] chanel: no such key; did you mean 'channel'?" || fail "no file and line"
	rm -r "$T/conf.d"
	"$KWSD" -t -m "$MODEL" -o threshold.nonsense=0.5 2> "$T/err" > /dev/null && fail "a word that the model lacks was accepted"
	logged "threshold.nonsense: the model .* has no such word" || fail "not told why"
	"$KWSD" -t -m "$MODEL" -o threshold.stopp=0.5 2> "$T/err" > /dev/null && fail "a word that the model lacks was accepted"
	logged "has no such word; did you mean 'stop'?" || fail "not told what was meant"
}

# The model without one named is that of kws; the log says which, and what else it began with.
test_start_is_logged() { # at most 20 s
	local all=$T/tree
	mkdir -p "$all/build" "$all/config/models"
	cp "$KWSD" "$all/build/kwsd"
	cp "$MODEL" "$all/config/models/commands-12.safetensors"
	cp "$MODEL" "$T/named.safetensors"
	( cd "$T"; unset KWS_MODEL; "$all/build/kwsd" -c /dev/null -d raw:- < <(head -c 3200 /dev/zero) 2> "$T/err" ) || fail "no model of the tree"
	logged "info: version [0-9.]*; configuration /dev/null$" || fail "not logged"
	logged "info: model .* [0-9a-f]*, $all/build/../config/models/commands-12" || fail "not logged"
	( cd "$T"; KWS_MODEL=named.safetensors "$all/build/kwsd" -t -c /dev/null > "$T/out" 2> "$T/err" ) || fail "KWS_MODEL is not heeded"
	grep -q "^path = $T/named.safetensors" "$T/out" || fail "KWS_MODEL: $(grep -A1 model "$T/out")"
	printf '[model]\npath = /dev/null\n' > "$T/k.conf"
	KWS_MODEL=$MODEL "$KWSD" -t -c "$T/k.conf" > "$T/out" 2> "$T/err" && fail "KWS_MODEL comes before the file"
	KWS_MODEL=/dev/null "$KWSD" -t -c /dev/null -m "$MODEL" > "$T/out" 2> "$T/err" || fail "KWS_MODEL comes before -m"
}

# Levels as words, but for the journal as numbers; a shell in a terminal of the desktop inherits JOURNAL_STREAM, and its stderr is no journal.
test_log_prefixes() { # at most 20 s
	: > "$T/err"
	JOURNAL_STREAM=1:1 "$KWSD" -c /dev/null -m "$MODEL" -d raw:- < <(head -c 3200 /dev/zero) > "$T/out" 2> "$T/err" || fail "status $?"
	grep -qv '^kwsd: info: ' "$T/err" && fail "not in words"
	: > "$T/err"
	JOURNAL_STREAM=$(stat -c %d:%i "$T/err") "$KWSD" -c /dev/null -m "$MODEL" -d raw:- < <(head -c 3200 /dev/zero) > "$T/out" 2>> "$T/err" || fail "status $?"
	grep -qv '^<6>' "$T/err" && fail "not in numbers"
	JOURNAL_STREAM=$(stat -c %d:%i "$T/err") "$KWSD" -c /dev/null -m /dev/null -d raw:- < /dev/null > "$T/out" 2>> "$T/err"
	grep -q '^<3>' "$T/err" || fail "no error"
	"$KWSD" -c /dev/null -m /dev/null -d raw:- 2>&1 < /dev/null | grep -q '^kwsd: error: ' || fail "no word"
	# neither do the events go to the journal
	audio 16000 raw "$T/in.raw"
	JOURNAL_STREAM=1:1 "$KWSD" -c /dev/null -m "$MODEL" -d "raw:$T/in.raw" > "$T/out" 2> "$T/err" || fail "status $?"
	[ -s "$T/out" ] || fail "no events on standard output"
}

# kwsd -t and the start refuse the same, with the same words, and neither leaves anything behind.
test_check_finds_what_the_start_refuses() { # at most 60 s
	mkdir "$T/d" "$T/dir"
	: > "$T/plain"
	local n=0
	while read -r set what; do
		n=$((n + 1))
		"$KWSD" -t -c /dev/null -m "$MODEL" -o "$set" < /dev/null > "$T/out" 2> "$T/err"
		[ $? = 78 ] || fail "kwsd -t takes $set"
		logged "^kwsd: error: .*$what" || fail "kwsd -t: no word of \"$what\" for $set"
		cp "$T/err" "$T/err2"
		"$KWSD" -c /dev/null -m "$MODEL" -d raw:- -o "$set" < /dev/null > "$T/out" 2> "$T/err"
		[ $? = 78 ] || fail "the start takes $set"
		cmp <(grep error: "$T/err") <(grep error: "$T/err2") || fail "the start says something else of $set"
	done <<-X
		audio.device=1 \[audio\] device: 1 is not a name
		audio.device=hw:1,0 \[audio\] device: hw:1,0 is not a name
		audio.device= \[audio\] device: an empty value
		model.path=/nonexistent /nonexistent: No such file
		model.path=$T/plain $T/plain:
		threshold.stopp=0.5 threshold.stopp: the model .* has no such word; did you mean 'stop'
		threshold._silence_=0.5 threshold._silence_: the model .* has no such word
		file.path=$T/d .file. path: $T/d
		file.path=$T/none/x .file. path: $T/none/x: No such file
		socket.path=$T/plain .socket. path: $T/plain
		socket.path=$T/none/x .socket. path: $T/none/x: No such file
		socket.path=/$(printf '%0100d' 0) \[socket\] path: .* at most 95 bytes
		socket.mode=888 \[socket\] mode: 888
		hook.command=/nonexistent .hook. command: /nonexistent: No such file
		hook.command=$T/plain .hook. command: $T/plain
		hook.command=$T/d .hook. command: $T/d
		clips.dir=$T/none clips.dir: $T/none: No such file
		clips.dir=$T/plain clips.dir: $T/plain: is no folder
	X
	[ $n = 18 ] || fail "only $n were tried"
	"$KWSD" -t -c /dev/null -m "$MODEL" -o socket.path="$T/d/s" -o socket.group=nosuch > "$T/out" 2> "$T/err" && fail "takes a group that is not there"
	logged '.socket. group: .*nosuch' || fail "no word of the group"
	"$KWSD" -t -c /dev/null -m "$MODEL" -o socket.path="$T/d/s" -o file.path="$T/d/f" -o clips.dir="$T/dir" -o hook.command=/bin/true > "$T/out" 2> "$T/err" || fail "refused"
	logged 'info: checked as ' || fail "as whom?"
	[ -z "$(find "$T/d" "$T/dir" -mindepth 1)" ] || fail "leaves behind $(find "$T/d" "$T/dir" -mindepth 1)"
}

# What may come later is no error: a microphone that is away, the folders of the service; nor is the daemon that runs, which keeps its socket.
test_check_warns() { # at most 60 s
	need socat
	pulse_start
	"$KWSD" -t -c /dev/null -m "$MODEL" -d kws16 > "$T/out" 2> "$T/err" || fail "refused"
	logged 'info: \[audio\] device: kws16: now that is kws16' || fail "no word of the device"
	"$KWSD" -t -c /dev/null -m "$MODEL" -d kws61 > "$T/out" 2> "$T/err" || fail "refused"
	logged "warning: \[audio\] device: kws61: no such device among .*; did you mean 'kws16'?; kwsd would wait for it; there are .*kws48" || fail "no hint"
	"$KWSD" -t -c /dev/null -m "$MODEL" -d "raw:$T/none" > "$T/out" 2> "$T/err" || fail "refused"
	logged "warning: \[audio\] device: raw:$T/none: No such file" || fail "no word of the pipe"
	"$KWSD" -t -c /dev/null -m "$MODEL" -o socket.path=/run/kwsd-none/events -o clips.dir=/var/lib/kwsd-none/clips > "$T/out" 2> "$T/err" || fail "refused"
	[ "$(n_logged 'not checked: .* makes it when it starts')" = 2 ] || fail "the service's folders"
	: > "$T/err"
	kwsd_start -d kws61 -o audio.backoff_ms=50 -o audio.backoff_max_s=1 -o socket.path="$T/s"
	await 10 logged "no audio: kws61: no such device among .*did you mean 'kws16'?" || fail "the log has no hint"
	await 5 test -S "$T/s"
	socat -u "UNIX-CONNECT:$T/s" "OPEN:$T/got,creat" & local reader=$!; PIDS="$PIDS $reader"
	local before; before=$(stat -c %i "$T/s")
	"$KWSD" -t -c /dev/null -m "$MODEL" -d kws16 -o socket.path="$T/s" > "$T/out2" 2> "$T/err2" || fail "refused for its own daemon"
	grep -q "warning: .socket. path: $T/s: a process listens there" "$T/err2" || fail "no word of the other daemon"
	[ "$(stat -c %i "$T/s")" = "$before" ] && kill -0 $reader || fail "the live socket is gone"
	[ "$(n_logged 'no audio:')" = 1 ] || fail "told again and again"
	kwsd_stop
}

test_model_missing_or_cut() { # at most 20 s
	head -c 5000 "$MODEL" > "$T/cut.safetensors"
	for m in "$T/none.safetensors" "$T/cut.safetensors" /dev/null; do
		"$KWSD" -c /dev/null -m "$m" -d raw:- < /dev/null 2> "$T/err"
		[ $? = 78 ] || fail "status is not EX_CONFIG"
		[ -s "$T/err" ] || fail "not told why"
	done
}

# A start that takes long, here by a model that is measured: signals are heard all the same.
test_sigterm_while_loading() { # at most 30 s
	for n in TERM INT; do
		wide_model "$T/slow.safetensors" 7 64 1   # its weights fit no cache
		"$KWSD" -c /dev/null -m "$T/slow.safetensors" -d raw:- < /dev/zero > "$T/out" 2> "$T/err" &
		P=$!; PIDS="$PIDS $P"
		await 5 caught_by "$P" || fail "it catches no signals"
		kill -$n "$P"
		wait "$P" || fail "status $? after SIG$n"
		[ ! -s "$T/err" ] || fail "it had come to its end already"
	done
}

# In the middle of a word, and of a stuck hook and a socket: the word so far is decided, and the end is quick.
test_sigterm_mid_word() { # at most 30 s
	start_slow
	kill -TERM "$P"; wait "$P" || fail "status $? before any audio"
	exec 7>&-
	local cut; cut=$(($(field decided_sample < "$T/want" | head -n 1) - 480))
	head -c $((2 * cut)) "$T/in.raw" > "$T/cut.raw"
	sox -t raw -r 16000 -e signed -b 16 -c 1 "$T/cut.raw" "$T/cut.wav"
	offline "$T/cut.wav" > "$T/want"
	"$KWSD" -c /dev/null -m "$MODEL" -d "raw:$T/mic" -o stdout.enabled=yes -o journal.enabled=no >> "$T/out" 2>> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	exec 7> "$T/mic"
	cat "$T/cut.raw" >&7
	sleep 0.5
	kwsd_stop
	diff <(field decided_sample < "$T/want") <(field decided_sample < "$T/out") || fail "the open word was lost"
}

test_statistics() { # at most 20 s
	start_slow
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" "$N"
	kill -USR1 "$P"
	await 5 logged "stats: up_s=.* heard_s=.* events=$N .* rss_mb=" || fail "no line"
	[ "$(n_logged stats:)" = 1 ] || fail "more than one line"
	exec 7>&-
	kwsd_stop
}

# What the service manager is told: not ready before there was audio; then, in order, to the end.
test_notifications() { # at most 30 s
	need socat
	socat -u UNIX-RECV:"$T/notify" - > "$T/told" & PIDS="$PIDS $!"
	await 5 test -S "$T/notify"
	audio 16000 raw "$T/in.raw"
	mkfifo "$T/mic"
	NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=200000 "$KWSD" -c /dev/null -m "$MODEL" -o service.outage_s=1 \
		-d "raw:$T/mic" > "$T/out" 2> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	exec 7> "$T/mic"
	sleep 0.7
	grep -q READY "$T/told" && fail "READY without audio"
	grep -q WATCHDOG "$T/told" && fail "WATCHDOG before READY"
	pace "$T/in.raw" 32000 >&7 & local feeder=$!
	PIDS="$PIDS $feeder"
	await 5 grep -q READY=1 "$T/told" || fail "not READY"
	await 5 grep -q "STATUS=Listening to raw:$T/mic at 16000 Hz" "$T/told" || fail "no STATUS: $(tail -n 3 "$T/told")"
	await 5 grep -q WATCHDOG=1 "$T/told" || fail "no WATCHDOG"
	kill -HUP "$P"
	await 5 grep -q RELOADING=1 "$T/told" || fail "no RELOADING"
	# audio stops, the process lives: the watchdog is fed for outage_s and then no more
	kill -STOP $feeder
	sleep 1.5
	local n; n=$(grep -ao WATCHDOG=1 "$T/told" | wc -l)
	sleep 1
	[ "$(grep -ao WATCHDOG=1 "$T/told" | wc -l)" = "$n" ] || fail "WATCHDOG without audio"
	kill -CONT $feeder
	sleep 0.5
	[ "$(grep -ao WATCHDOG=1 "$T/told" | wc -l)" -gt "$n" ] || fail "no WATCHDOG after the audio came back"
	kill -KILL $feeder
	kwsd_stop
	await 2 grep -q STOPPING=1 "$T/told" || fail "no STOPPING"
}

# Nobody reads the log, and its pipe is full from the start.
test_stuck_log() { # at most 30 s
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	mkfifo "$T/stuck"
	exec 8<> "$T/stuck"
	timeout 1 cat /dev/zero >&8
	timeout 20 "$KWSD" -c /dev/null -m "$MODEL" -o log.level=debug -o stdout.enabled=yes -o journal.enabled=no \
		-d "raw:$T/in.raw" > "$T/out" 2> "$T/stuck" || fail "status $?"
	diff <(field decided_sample < "$T/want") <(field decided_sample < "$T/out") || fail "events are missing"
}

# Descriptors 0 to 2 closed at the start: nothing else gets their numbers.
test_closed_descriptors() { # at most 40 s
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	local how n; n=$(wc -l < "$T/want")
	for how in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		rm -f "$T/events"
		eval 'timeout 20 "$KWSD" -c /dev/null -m "$MODEL" -d "raw:$T/in.raw" -o journal.enabled=no \
			-o "file.path=$T/events" -o "socket.path=$T/sock" > "$T/out" 2> "$T/err"' "$how" || fail "$how: status $?"
		diff <(field decided_sample < "$T/want") <(field decided_sample < "$T/events") || fail "$how: other events"
		[ "$(grep -vc '^{.*}$' "$T/events")" = 0 ] || fail "$how: the file of events has something else in it"
	done
	timeout 20 "$KWSD" -c /dev/null -m "$MODEL" -d raw:- <&- > "$T/out" 2> "$T/err"
	[ $? = 66 ] || fail "raw:- without standard input: status is not EX_NOINPUT"
	logged "standard input is closed" || fail "not told why"
	timeout 20 "$KWSD" -c /dev/null -m "$MODEL" -d "raw:$T/in.raw" -o stdout.enabled=yes >&- 2> "$T/err"
	[ $? = 78 ] || fail "stdout.enabled=yes without standard output was accepted"
	logged "standard output is closed" || fail "not told why"
}

# Near the limit of processes: no library wants a thread of its own, and the error names the limit.
test_process_limit() { # at most 40 s
	need_root; need setpriv
	local status n run="setpriv --reuid=54321 --regid=54321 --clear-groups --bounding-set=-all"
	chmod 755 "$T"; cp "$KWSD" "$T/kwsd"; cp "$KWS" "$T/kws"; cp "$MODEL" "$T/m"; cp "$AUDIO" "$T/sound"
	chmod 755 "$T/kwsd" "$T/kws"; chmod 644 "$T/m" "$T/sound"
	(ulimit -u 1; exec $run "$T/kws" spot -m "$T/m" --format jsonl "$T/sound") > "$T/out" 2> "$T/err" || fail "kws: status $?"
	offline "$T/sound" | cmp - "$T/out" || fail "kws spot says something else"
	# its own threads: of the sink and of the audio
	for n in 1 2; do
		(ulimit -u $n; exec timeout 20 $run "$T/kwsd" -c /dev/null -m "$T/m" -d raw:/dev/null -o stdout.enabled=yes) \
			> "$T/out" 2> "$T/err" < /dev/null
		status=$?
		[ $status = 71 ] || fail "status $status with a limit of $n"
		logged "cannot start a thread: .*TasksMax=" || fail "the limit is not named"
	done
}

# Near the limit of descriptors: all is heard, or kwsd ends with an error that names the limit, or says so while it waits.
test_descriptor_limit() { # at most 60 s
	local status n
	offline "$AUDIO" | field word > "$T/want"
	for n in 4 5 6 7 8 9 10 11 12 14 16 20; do
		(ulimit -n $n; exec timeout 4 "$KWSD" -c /dev/null -m "$MODEL" -d "raw:$AUDIO" -o stdout.enabled=yes -o journal.enabled=no) \
			> "$T/out" 2> "$T/err" < /dev/null
		status=$?
		[ $status = 0 ] && field word < "$T/out" | cmp -s "$T/want" - && continue
		logged "LimitNOFILE=" || fail "the limit of $n is not named, status $status: $(cat "$T/err")"
		case $status in 71 | 78 | 124) ;; *) fail "status $status with a limit of $n" ;; esac
	done
}

# Names with control characters, here the 8-bit form of an escape sequence, steer no terminal and write no messages.
test_hostile_names() { # at most 30 s
	need socat
	local csi name; csi=$(printf '\302\233')
	"$KWSD" -c /dev/null -m "$MODEL" -d "$(printf 'mic\nSTOPPING=1')" > "$T/out" 2> "$T/err"
	[ $? = 78 ] || fail "a name of two lines was accepted"
	[ "$(wc -l < "$T/err")" = 1 ] || fail "it is two lines of the log"
	socat -u UNIX-RECV:"$T/notify" - > "$T/told" & PIDS="$PIDS $!"
	await 5 test -S "$T/notify"
	audio 16000 raw "$T/in.raw"
	name=$T/mic${csi}31m
	mkfifo "$name"
	NOTIFY_SOCKET=$T/notify "$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "raw:$name" \
		> "$T/out" 2> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	timeout 10 bash -c 'cat "$1" > "$2"' - "$T/in.raw" "$name" || fail "nobody reads the pipe"
	await 5 grep -aq 'STATUS=.*mic??31m' "$T/told" || fail "no STATUS: $(cat "$T/told")"
	await 5 logged 'listening: .*mic??31m' || fail "not listening"
	grep -aq "$csi" "$T/err" "$T/told" "$T/out" && fail "it came through"
	kwsd_stop
	rm "$name"
}
