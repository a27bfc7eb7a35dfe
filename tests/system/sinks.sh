# sinks.sh - whatever the other end does, the audio goes on and whole events come out

# feed N: the recording N times, as fast as kwsd takes it, through a pipe that we hold open; one time alone has $N events
feed_open() {
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	N=$(wc -l < "$T/want")
	mkfifo "$T/mic"
	kwsd_start -d "raw:$T/mic" "$@"
	exec 7> "$T/mic"
}
feed() { for _ in $(seq "$1"); do cat "$T/in.raw" >&7; done; }
# all_heard N: the recording has been heard N times in all, and stdout has the $EVENTS events in it
all_heard() {
	local want stats
	want=$(awk "BEGIN {printf \"%.2f\", $1 * $(stat -c %s "$T/in.raw") / 32000}")
	for _ in $(seq 200); do
		kill -USR1 "$P"; sleep 0.2
		stats=$(grep stats: "$T/err" | tail -n 1)
		case $stats in *"heard_s=$want "*) break ;; esac
	done
	case $stats in *"heard_s=$want "*) ;; *) fail "not all was heard: want $want s" ;; esac
	EVENTS=$(sed 's/.* stdout=taken:\([0-9]*\),.*/\1/' <<< "$stats")
	[ "$EVENTS" -ge $(($1 * N * 2 / 3)) ] || fail "only $EVENTS events in $1 times $N"
	await 5 lines "$T/out" "$EVENTS" || fail "stdout has $(wc -l < "$T/out") of $EVENTS events"
}

# One reader that reads, one that never does, one that dies: the first gets everything, and so does stdout.
test_socket_readers() { # at most 60 s
	need socat
	local good stuck
	feed_open -o socket.path="$T/sock" -o socket.mode=0600 -o socket.buffer_kb=4
	await 5 test -S "$T/sock" || fail "no socket"
	[ "$(stat -c %a "$T/sock")" = 600 ] || fail "mode $(stat -c %a "$T/sock")"
	socat -u UNIX-CONNECT:"$T/sock" - > "$T/good" & good=$!
	socat -u UNIX-CONNECT:"$T/sock",rcvbuf=1024 SYSTEM:'sleep 100' & stuck=$!
	socat -u UNIX-CONNECT:"$T/sock" - > /dev/null & local dies=$!
	PIDS="$PIDS $good $stuck $dies"
	sleep 0.5
	feed 1; all_heard 1
	kill -KILL $dies
	kill -STOP $stuck
	feed 60; all_heard 61
	await 5 lines "$T/good" "$EVENTS" || fail "the good reader got $(wc -l < "$T/good") of $EVENTS"
	cmp -s "$T/good" "$T/out" || fail "the socket says something else than stdout"
	kill -USR1 "$P"
	await 5 logged "socket=taken:$EVENTS,dropped:[1-9][0-9]*,failed:0,readers:2" || fail "no count of drops: $(tail -n 1 "$T/err")"
	exec 7>&-
	kwsd_stop
	[ ! -e "$T/sock" ] || fail "the socket is left behind"
}

test_hook_hangs() { # at most 60 s
	printf '#!/bin/sh\necho "$KWS_WORD" >> %s/hooked\nsleep 1000\n' "$T" > "$T/hook"; chmod +x "$T/hook"
	feed_open -o hook.command="$T/hook" -o hook.timeout_ms=300 -o hook.at_once=2 -o hook.queue=4
	feed 10; all_heard 10 # the audio does not wait
	kill -USR1 "$P"
	await 5 logged "hook=taken:[0-9]*,dropped:[1-9]" || fail "no drops counted"
	await 5 logged "hook: .*killed" || fail "not killed"
	[ "$(pgrep -fc "$T/hook")" -le 3 ] || fail "more than hook.at_once run" # and kwsd itself
	exec 7>&-
	kwsd_stop
	sleep 0.2
	! pgrep -f "$T/hook" > /dev/null || fail "a hook is left behind"
}

# A full disk: the file's events wait until there is room; clips are given up; the rest goes on.
test_full_disk() { # at most 60 s
	need_root
	mkdir "$T/fs"
	mount -t tmpfs -o size=1m tmpfs "$T/fs" 2> /dev/null || skip "cannot mount a tmpfs"
	mkdir "$T/fs/clips"
	feed_open -o file.path="$T/fs/events" -o file.queue=1000 -o clips.dir="$T/fs/clips" -o clips.queue=64
	feed 1; all_heard 1
	await 5 lines "$T/fs/events" "$EVENTS" || fail "no events in the file"
	dd if=/dev/zero of="$T/fs/fill" bs=1k 2> /dev/null
	feed 10; all_heard 11
	await 5 logged "events: No space left" || fail "the full disk was not told"
	await 5 logged "clips: " || fail "the lost clips were not told"
	[ "$(n_logged 'No space left')" -le 2 ] || fail "told more than once: each sink may tell once"
	rm -rf "$T/fs/fill" "$T/fs/clips"/*
	await 5 lines "$T/fs/events" "$EVENTS" || fail "$(wc -l < "$T/fs/events") of $EVENTS events after the disk has room"
	[ "$(grep -c '^{.*}$' "$T/fs/events")" = "$EVENTS" ] && [ "$(wc -l < "$T/fs/events")" = "$EVENTS" ] || fail "torn lines"
	! ls "$T"/fs/clips/.*.part 2> /dev/null || fail "half a clip is left behind"
	exec 7>&-
	kwsd_stop
}

# What a stuck sink still holds at the end is lost, and said.
test_what_the_end_loses_is_said() { # at most 60 s
	mkfifo "$T/nobody"
	feed_open -o file.path="$T/nobody"
	feed 1; all_heard 1
	exec 7>&-
	kwsd_stop
	logged "warning: file: $EVENTS events were not delivered before the end" || fail "not said"
	logged 'stdout: .*not delivered' && fail "said of a sink that delivers"
	return 0
}

test_file_rotation() { # at most 60 s
	feed_open -o file.path="$T/events"
	feed 1; all_heard 1
	await 5 lines "$T/events" "$EVENTS"
	mv "$T/events" "$T/events.1"
	local before=$EVENTS
	feed 1; all_heard 2
	await 5 lines "$T/events" $((EVENTS - before)) || fail "not opened anew after the rotation"
	exec 7>&-
	kwsd_stop
	[ "$(cat "$T/events.1" "$T/events" | wc -l)" = "$EVENTS" ] || fail "events were lost"
}

# stdout is a pipe that nobody reads.
test_stuck_stdout() { # at most 60 s
	audio 16000 raw "$T/in.raw"
	for _ in $(seq 40); do cat "$T/in.raw"; done > "$T/long.raw"
	mkfifo "$T/stuck"
	# shellcheck disable=SC2217 # it only holds the pipe open
	sleep 100 < "$T/stuck" & PIDS="$PIDS $!"
	exec 8<> "$T/stuck"
	timeout 50 "$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -d "raw:$T/long.raw" > "$T/stuck" 2> "$T/err" \
		|| fail "status $?"
	logged "stdout=taken:[0-9]*,dropped:[1-9]" || fail "no drops counted"
	logged "heard_s=$(awk "BEGIN {printf \"%.2f\", $(stat -c %s "$T/long.raw") / 32000}")" || fail "not all was heard"
}

test_clips() { # at most 60 s
	mkdir "$T/clips"
	feed_open -o clips.dir="$T/clips" -o clips.quota_mb=1
	feed 8; all_heard 8
	exec 7>&-
	kwsd_stop
	[ "$(du -sb --apparent-size "$T/clips" | cut -f1)" -le $((1000000 + 8192)) ] || fail "more than the quota"
	logged "clips=written:$EVENTS,dropped:0,failed:0" || fail "not all clips were written"
	tail -n 1 "$T/out" | field clip > "$T/last"
	[ -s "$T/clips/$(cat "$T/last")" ] || fail "the event names a clip that is not there"
	# the word is in its clip
	"$KWS" classify -m "$MODEL" "$T/clips/$(cat "$T/last")" > /dev/null || fail "the clip is no sound file"
	sox "$T/clips/$(cat "$T/last")" -n stat 2>&1 | grep -q "Maximum amplitude: *0.0[1-9]\|Maximum amplitude: *0.[1-9]" ||
		fail "the clip is silent"
}

# What came near its threshold is kept as sound, under a name that says so, and is no event.
test_near_misses() { # at most 60 s
	mkdir "$T/clips"
	audio 16000 raw "$T/in.raw"
	"$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "raw:$T/in.raw" -o clips.dir="$T/clips" \
		-o clips.queue=64 -o clips.near_miss=0.5 -o decision.threshold=1 > "$T/out" 2> "$T/err" || fail "status $?"
	[ "$(wc -l < "$T/out")" -le 1 ] || fail "events at threshold 1"
	ls "$T"/clips/*-near.wav > /dev/null || fail "no near misses were kept"
	logged "near_misses=$(ls "$T"/clips/*-near.wav | wc -l) " || fail "the count differs"
}

# Everything is stuck at once: still the end comes within its time.
test_the_end_when_all_is_stuck() { # at most 60 s
	need socat
	cp "$(command -v sleep)" "$T/hook-sleep" # a name by which it is found
	printf '#!/bin/sh\nexec %s/hook-sleep 1000\n' "$T" > "$T/hook"; chmod +x "$T/hook"
	audio 16000 raw "$T/in.raw"
	mkfifo "$T/mic" "$T/stuck"
	exec 8<> "$T/stuck"
	timeout 1 cat /dev/zero >&8
	"$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "raw:$T/mic" -o hook.command="$T/hook" \
		-o hook.timeout_ms=600000 -o file.path=/dev/full -o socket.path="$T/sock" -o socket.buffer_kb=4 > "$T/stuck" 2> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	exec 7> "$T/mic"
	await 5 test -S "$T/sock" || fail "no socket"
	socat -u UNIX-CONNECT:"$T/sock",rcvbuf=1024 - > "$T/stuck" & PIDS="$PIDS $!"
	feed 20
	kill -USR1 "$P"
	await 10 logged "hook=taken:[0-9]*,dropped:[1-9]" || fail "not stuck"
	kwsd_stop
	! pgrep -f "$T/hook" > /dev/null || fail "a hook is left behind"
}

# A named pipe as the file: the start waits for nobody, and a reader gets what has waited for it.
test_file_is_a_pipe() { # at most 40 s
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	mkfifo "$T/pipe" "$T/mic"
	kwsd_start -d "raw:$T/mic" -o file.path="$T/pipe"
	exec 7> "$T/mic"
	cat "$T/in.raw" >&7
	await 10 lines "$T/out" "$(wc -l < "$T/want")" || fail "$(wc -l < "$T/out") events"
	await 5 logged "pipe: a named pipe that nobody reads" || fail "not told"
	cat "$T/pipe" > "$T/got" & PIDS="$PIDS $!"
	await 5 lines "$T/got" "$(wc -l < "$T/want")" || fail "the reader got $(wc -l < "$T/got") events"
	cmp "$T/got" "$T/out" || fail "it got others"
	exec 7>&-
	kwsd_stop
}

# Two daemons at once on one socket: one has it, the other says so; when the first is killed, a third takes over.
test_two_daemons() { # at most 40 s
	need socat
	mkfifo "$T/mic"
	exec 7<> "$T/mic"
	local a b
	for _ in 1 2 3 4 5; do
		rm -f "$T/err.a" "$T/err.b"
		"$KWSD" -c /dev/null -m "$MODEL" -d "raw:$T/mic" -o socket.path="$T/sock" > "$T/out" 2> "$T/err.a" & a=$!
		"$KWSD" -c /dev/null -m "$MODEL" -d "raw:$T/mic" -o socket.path="$T/sock" > "$T/out" 2> "$T/err.b" & b=$!
		PIDS="$PIDS $a $b"
		await 5 eval "gone $a || gone $b" || fail "both believe that they have it"
		gone $a && { local c=$a; a=$b; b=$c; }
		gone $a && fail "both gave up"
		wait $b && fail "status 0"
		cat "$T/err.a" "$T/err.b" | grep -q "another process listens there" || fail "not told why"
		await 5 test -S "$T/sock" || fail "no socket"
		socat -u /dev/null UNIX-CONNECT:"$T/sock" || fail "nobody listens"
		kill -KILL $a; wait $a 2> /dev/null
		[ -S "$T/sock" ] || fail "this test wants a dead socket"
	done
	kwsd_start -d "raw:$T/mic" -o socket.path="$T/sock"
	await 5 socat -u /dev/null UNIX-CONNECT:"$T/sock" || fail "a dead daemon's socket is in the way"
	kwsd_stop
	[ -z "$(find "$T" -name 'sock*')" ] || fail "left behind: $(ls "$T")"
}
