# heard.sh - what is heard of files and pipes, and what is said about it

# spots WHAT...: the words that spot finds, with its status; messages in $T/err
spots() { "$KWS" spot -m "$MODEL" --format csv "$@" 2> "$T/err" | sed 1d | cut -d, -f2-; return "${PIPESTATUS[0]}"; }

test_pipes_with_a_header() { # at most 120 s
	need sox mkfifo
	short 48000 wav "$T/a.wav"
	sox "$T/a.wav" "$T/a.flac"; sox "$T/a.wav" "$T/a.ogg"; sox "$T/a.wav" "$T/a.aiff"
	mkfifo "$T/fifo"
	for f in wav flac ogg aiff; do
		spots "$T/a.$f" > "$T/want" || fail "$f: status $?"
		lines "$T/want" 2 || fail "$f: deaf"
		cat "$T/a.$f" | spots - > "$T/got" || fail "$f by pipe: status $?"
		cmp "$T/want" "$T/got" || fail "$f by pipe"
		spots - < "$T/a.$f" > "$T/got" && cmp "$T/want" "$T/got" || fail "$f on stdin"
		spots /dev/stdin < "$T/a.$f" > "$T/got" && cmp "$T/want" "$T/got" || fail "$f as /dev/stdin"
		cat "$T/a.$f" > "$T/fifo" & PIDS="$PIDS $!"
		spots "$T/fifo" > "$T/got" && cmp "$T/want" "$T/got" || fail "$f in a named pipe"
		spots <(cat "$T/a.$f") > "$T/got" && cmp "$T/want" "$T/got" || fail "$f in <()"
		[ -s "$T/err" ] && fail "$f: it says something: $(cat "$T/err")"
	done
	spots "$T/a.wav" > "$T/want"
	sox "$T/a.wav" -t wav - 2> /dev/null | spots --rate 16000 - > "$T/got" && cmp "$T/want" "$T/got" || fail "endless header"
	logged "has a header, so the options for raw PCM are ignored" || fail "options for raw PCM: nothing said"
	printf '\0\0\0 ftypM4A ' | spots - > "$T/got" && fail "an MP4 file was heard"
	logged "MP4 or M4A: cannot be heard from a pipe; put .ffmpeg" || fail "did not say why"
}

test_folders_and_notes() { # at most 60 s
	need sox
	short 16000 wav "$T/a.wav"
	mkdir -p "$T/in/deep"
	sox "$T/a.wav" "$T/in/b.wav" remix 1 1i; sox "$T/a.wav" "$T/in/deep/c.wav" remix 1 1i; cp "$T/a.wav" "$T/in/a.wav"
	echo none > "$T/in/readme.txt"
	"$KWS" spot -m "$MODEL" --format csv "$T/in" > "$T/out" 2> "$T/err" || fail "status $?"
	[ "$(sed 1d "$T/out" | cut -d, -f1 | sort -u)" = "$T/in/a.wav" ] || fail "heard in: $(cat "$T/out")"
	[ "$(n_logged "cancel each other")" = 1 ] && logged "^kws: $T/in/b.wav: .*--channel 1 (and 1 more" || fail "no summary"
	for c in "classify" "plot -o $T/p.svg" "eval"; do
		# shellcheck disable=SC2086
		"$KWS" $c -m "$MODEL" "$T/in/b.wav" > "$T/out" 2> "$T/err" || fail "$c: status $?"
		logged "cancel each other" || fail "$c says nothing"
	done
	spots --channel 2 "$T/in/b.wav" > "$T/got" || fail "status $?"
	lines "$T/got" 2 && [ ! -s "$T/err" ] || fail "--channel 2: $(cat "$T/err")"
	mkdir "$T/empty"
	spots "$T/empty" && fail "an empty folder"
	logged "no audio files" || fail "an empty folder: nothing said"
}

# A folder holds anything: what is no file is left out, and sound that cannot be heard is told of.
test_folders_of_all_sorts() { # at most 60 s
	need sox mkfifo
	mkdir "$T/in" "$T/in/folder.wav"
	short 16000 wav "$T/in/a.wav"
	mkfifo "$T/in/pipe.wav"
	ln -s /dev/zero "$T/in/zero.wav"
	ln -s .. "$T/in/up"
	timeout 30 "$KWS" spot -m "$MODEL" --format csv "$T/in" > "$T/out" 2> "$T/err" || fail "status $?: $(cat "$T/err")"
	lines "$T/out" 3 && [ ! -s "$T/err" ] || fail "heard: $(cat "$T/out" "$T/err")"
	ln -s nothing "$T/in/b.wav"
	printf '\0\0\0 ftypM4A ' > "$T/in/phone.m4a"
	spots "$T/in" > "$T/out" && fail "nothing wrong with a dead link"
	lines "$T/out" 2 && logged "in/b.wav: No such file" && logged "in/phone.m4a: MP4 or M4A: cannot be read" || fail "said: $(cat "$T/err")"
}

# A pipe that never ends does not keep what is wrong with it to itself.
test_a_pipe_that_never_ends() { # at most 60 s
	need sox mkfifo
	audio 16000 wav "$T/a.wav"
	mkfifo "$T/fifo"
	"$KWS" spot -m "$MODEL" --channels 2 - < "$T/fifo" > "$T/out" 2> "$T/err" & PIDS="$PIDS $!"
	exec 9> "$T/fifo"
	sox "$T/a.wav" -t raw - remix 1 1i >&9
	await 20 logged "^kws: -: so far: the channels cancel" || fail "nothing said"
	exec 9>&-
}

# What a recorder that was killed leaves, and what is cut off.
test_headers_that_lie() { # at most 60 s
	need sox
	short 16000 wav "$T/a.wav"
	spots "$T/a.wav" > "$T/want"
	cp "$T/a.wav" "$T/b.wav"
	printf '\0\0\0\0' | dd of="$T/b.wav" bs=1 seek=40 conv=notrunc status=none
	spots "$T/b.wav" > "$T/got" || fail "status $?"
	cmp "$T/want" "$T/got" && [ "$(n_logged "the header says 0 samples")" = 1 ] || fail "a header that says nothing"
	head -c 60000 "$T/a.wav" > "$T/c.wav"
	spots "$T/c.wav" > "$T/got"
	[ $? = 1 ] || fail "cut off: status"
	lines "$T/got" 1 && logged "c.wav: at sample [0-9]*: cut off" || fail "cut off: $(cat "$T/got")"
}

# A pipe or a device is written to, not replaced.
test_output_to_a_pipe() { # at most 30 s
	need mkfifo
	mkfifo "$T/fifo.svg"
	cat "$T/fifo.svg" > "$T/out" & local c=$!; PIDS="$PIDS $c"
	"$KWS" plot -m "$MODEL" tests/data/demo.flac --end 3 -o "$T/fifo.svg" 2> "$T/err" || fail "status $?"
	wait $c
	[ -p "$T/fifo.svg" ] && grep -q '</svg>' "$T/out" || fail "the pipe was replaced"
}

# The daemon hears a header as well, also one of another rate that comes late.
test_daemon_on_sound_files() { # at most 60 s
	need sox
	short 48000 wav "$T/a.wav"
	spots "$T/a.wav" | cut -d, -f1 > "$T/want"
	kwsd_run() { "$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no -d "$1" > "$T/out" 2> "$T/err"; }
	heard() { [ "$(field word < "$T/out")" = "$(cat "$T/want")" ] || fail "$1: $(cat "$T/out")"; }
	kwsd_run "raw:$T/a.wav" || fail "status $?"; heard "a file"
	cat "$T/a.wav" | kwsd_run raw:- || fail "status $?"; heard "a pipe"
	{ sleep 1; cat "$T/a.wav"; } | kwsd_run raw:- || fail "status $?"; heard "a late pipe"
	sox "$T/a.wav" "$T/b.wav" remix 1 1i
	kwsd_run "raw:$T/b.wav" || fail "status $?"
	[ "$(n_logged "cancel each other.*audio.channel=1")" = 1 ] || fail "antiphase: not said once"
	printf '\0\0\0 ftypM4A ' | kwsd_run raw:-
	[ $? = 78 ] && logged "MP4 or M4A" || fail "an MP4 file"
	head -c 60000 "$T/a.wav" | kwsd_run raw:- || fail "status $?"
	logged "cut off" || fail "cut off: not said"
	"$KWS" doctor -m "$MODEL" -d "raw:$T/b.wav" > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q "^BAD  the channels cancel" "$T/out" || fail "doctor: $(cat "$T/out")"
	"$KWS" listen -m "$MODEL" -d "raw:$T/b.wav" > "$T/out" 2> "$T/err" || fail "listen: $?"
	[ "$(n_logged "cancel each other")" = 1 ] || fail "listen: not said once"
}
