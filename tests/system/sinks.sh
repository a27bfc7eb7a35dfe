# sinks.sh - whatever the other end does, the audio goes on and whole events come out

# feed N: the recording N times, as fast as kwsd takes it, through a pipe that we hold open; offers $W as its write end
feed_open() {
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	N=$(wc -l < "$T/want")
	mkfifo "$T/mic"
	kwsd_start -d "raw:$T/mic" "$@"
	exec 7> "$T/mic"
}
feed() { for _ in $(seq "$1"); do cat "$T/in.raw" >&7; done; }
all_out() { await 20 lines "$T/out" "$1" || fail "$(wc -l < "$T/out") of $1 events"; }

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
	feed 1; all_out "$N"
	kill -KILL $dies
	kill -STOP $stuck
	feed 60; all_out $((61 * N))
	await 5 lines "$T/good" $((61 * N)) || fail "the good reader got $(wc -l < "$T/good") of $((61 * N))"
	cmp -s "$T/good" "$T/out" || fail "the socket says something else than stdout"
	kill -USR1 "$P"
	await 5 logged "socket=taken:$((61 * N)),dropped:[1-9][0-9]*,failed:0,readers:2" || fail "no count of drops: $(tail -n 1 "$T/err")"
	exec 7>&-
	kwsd_stop
	[ ! -e "$T/sock" ] || fail "the socket is left behind"
}

test_hook_hangs() { # at most 60 s
	printf '#!/bin/sh\necho "$KWS_WORD" >> %s/hooked\nsleep 1000\n' "$T" > "$T/hook"; chmod +x "$T/hook"
	feed_open -o hook.command="$T/hook" -o hook.timeout_ms=300 -o hook.at_once=2 -o hook.queue=4
	feed 10; all_out $((10 * N)) # the audio does not wait
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
	mount -t tmpfs -o size=256k tmpfs "$T/fs" 2> /dev/null || skip "cannot mount a tmpfs"
	mkdir "$T/fs/clips"
	feed_open -o file.path="$T/fs/events" -o file.queue=1000 -o clips.dir="$T/fs/clips"
	feed 1; all_out "$N"
	await 5 lines "$T/fs/events" "$N" || fail "no events in the file"
	dd if=/dev/zero of="$T/fs/fill" bs=1k 2> /dev/null
	feed 10; all_out $((11 * N))
	await 5 logged "events: No space left" || fail "the full disk was not told"
	await 5 logged "clips: " || fail "the lost clips were not told"
	[ "$(n_logged 'No space left')" -le 2 ] || fail "told more than once"
	rm -rf "$T/fs/fill" "$T/fs/clips"/*
	await 5 lines "$T/fs/events" $((11 * N)) || fail "$(wc -l < "$T/fs/events") of $((11 * N)) events after the disk has room"
	[ "$(grep -c '^{.*}$' "$T/fs/events")" = $((11 * N)) ] || fail "torn lines"
	! ls "$T"/fs/clips/.*.part 2> /dev/null || fail "half a clip is left behind"
	exec 7>&-
	kwsd_stop
}

test_file_rotation() { # at most 60 s
	feed_open -o file.path="$T/events"
	feed 1; all_out "$N"
	await 5 lines "$T/events" "$N"
	mv "$T/events" "$T/events.1"
	feed 1; all_out $((2 * N))
	await 5 lines "$T/events" "$N" || fail "not opened anew after the rotation"
	exec 7>&-
	kwsd_stop
	[ "$(cat "$T/events.1" "$T/events" | wc -l)" = $((2 * N)) ] || fail "events were lost"
}

# stdout is a pipe that nobody reads.
test_stuck_stdout() { # at most 60 s
	audio 16000 raw "$T/in.raw"
	for _ in $(seq 150); do cat "$T/in.raw"; done > "$T/long.raw"
	mkfifo "$T/stuck"
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
	feed 8; all_out $((8 * N))
	exec 7>&-
	kwsd_stop
	[ "$(du -sb --apparent-size "$T/clips" | cut -f1)" -le $((1000000 + 8192)) ] || fail "more than the quota"
	logged "clips=written:$((8 * N)),dropped:0,failed:0" || fail "not all clips were written"
	tail -n 1 "$T/out" | field clip > "$T/last"
	[ -s "$T/clips/$(cat "$T/last")" ] || fail "the event names a clip that is not there"
	# the word is in its clip
	"$KWS" classify -m "$MODEL" "$T/clips/$(cat "$T/last")" > /dev/null || fail "the clip is no sound file"
	sox "$T/clips/$(cat "$T/last")" -n stat 2>&1 | grep -q "Maximum amplitude: *0.0[1-9]\|Maximum amplitude: *0.[1-9]" ||
		fail "the clip is silent"
}
