# live.sh - the same recording, live through PortAudio and offline: the same events

# same_events RATE: the daemon's events are those of `kws spot` on the same samples: words, times, scores
same_events() {
	local f
	offline "$1" > "$T/want"
	[ -s "$T/want" ] || fail "the recording has no words"
	await 5 lines "$T/out" "$(wc -l < "$T/want")"
	kwsd_stop
	for f in word start_sample end_sample decided_sample; do
		diff <(field $f < "$T/want") <(field $f < "$T/out") || fail "$f differs"
	done
	paste <(field score < "$T/want") <(field score < "$T/out") |
		awk '{d = $1 - $2; if (d * d > 1e-8) exit 1}' || fail "the scores differ"
}

# recording: until PulseAudio records for somebody, who is still there a moment later
recording() {
	await 20 sh -c 'pactl list short source-outputs | grep -q . && sleep 0.3 && pactl list short source-outputs | grep -q .' || fail "nobody records"
}

# The pipe source begins with our first byte: not a sample of the live stream differs from the file.
test_portaudio_16_khz() { # at most 60 s
	pulse_start
	short 16000 raw "$T/in.raw"
	kwsd_start -d fifo16
	recording
	pace "$T/in.raw" 32000 > "$T/pulse/fifo16"
	same_events "$T/short.wav"
}

test_portaudio_48_khz() { # at most 60 s
	pulse_start
	short 48000 raw "$T/in.raw"
	short 48000 wav "$T/in.wav"
	kwsd_start -d fifo48 -o audio.rate_hz=48000
	recording
	pace "$T/in.raw" 96000 > "$T/pulse/fifo48"
	logged "at 48000 Hz" || fail "not opened at 48 kHz"
	same_events "$T/in.wav"
}

# A stereo sink at 48 kHz with the word on its right channel only; the monitor runs all the time, as a microphone does.
test_right_channel_of_stereo() { # at most 60 s
	pulse_start
	short 48000 wav "$T/mono.wav"
	sox -D "$T/mono.wav" "$T/in.wav" remix 0 1
	kwsd_start -d kws48 -o audio.rate_hz=48000 -o audio.channels=2 -o audio.channel=2
	await 5 logged "listening: kws48 at 48000 Hz, 2 channels" || fail "not listening"
	play kws48 "$T/in.wav"
	await 5 lines "$T/out" "$(wc -l < "$T/want")"
	kwsd_stop
	[ "$(words "$T/out")" = "$(words "$T/want")" ] || fail "heard $(words "$T/out"), want $(words "$T/want")"
}

test_pipe_as_a_device() { # at most 60 s
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	"$KWSD" -c /dev/null -m "$MODEL" -d raw:- < "$T/in.raw" > "$T/out" 2> "$T/err" || fail "status $?"
	offline "$T/in.wav" > "$T/want"
	diff <(field decided_sample < "$T/want") <(field decided_sample < "$T/out") || fail "the events differ"
	[ "$(words "$T/out")" = "$(words "$T/want")" ] || fail "the words differ"
}

# Wall time of an event: what was played then was decided then, to a second (the sound server's own delay is in it).
test_wall_time() { # at most 60 s
	local began at samples
	pulse_start
	short 16000 wav "$T/in.wav"
	kwsd_start -d kws16
	await 5 logged listening || fail "not listening"
	began=$(now_ms)
	play kws16 "$T/in.wav"
	await 5 lines "$T/out" 1 || fail "no event"
	kwsd_stop
	at=$(date -d "$(field start_time < "$T/out" | head -n 1)" +%s%3N)
	samples=$(($(field decided_sample < "$T/out" | head -n 1) - $(field start_sample < "$T/out" | head -n 1)))
	at=$((at + samples / 16 - began - $(field decided_sample < "$T/want" | head -n 1) / 16))
	[ $at -gt -200 ] && [ $at -lt 1500 ] || fail "the event's wall time is $at ms off"
}

# What the audio callback calls (of JACK), by its object code: the ring, and what that calls: memcpy. No allocation, no lock, no system call.
test_callback_calls_nothing() { # at most 20 s
	need objdump
	nm "$KWSD" | grep -q "__asan_init\|__tsan_init\|__sanitizer_cov" && skip "a build with sanitizers"
	calls() { # OBJECT FUNCTION: names that it calls or jumps to
		objdump -dr "$1" | awk -v f="<$2>:" '$2 == f {on = 1; next} /^[0-9a-f]+ <.*>:$/ {on = 0} on' |
			sed -n 's/.*R_[A-Z0-9_]*\(PLT32\|PC32\|CALL26\|JUMP26\|GOTPCRELX\|PLT\)[ \t]*\([A-Za-z_][A-Za-z0-9_@.]*\).*/\2/p' | sort -u | tr '\n' ' '
	}
	local c r
	objdump -d "$B/audio/device_portaudio.o" | grep -q "<callback>:" || skip "the compiler has renamed the callback"
	c=$(calls "$B/audio/device_portaudio.o" callback)
	r=$(calls "$B/dsp/ring.o" kws_ring_write_frames)
	echo "callback: $c; kws_ring_write_frames: $r"
	case " $c" in *kws_ring_write_frames*) ;; *) fail "the callback does not write the ring: $c" ;; esac
	for name in $c $r; do
		case $name in
		kws_ring_write_frames | memcpy* | __memcpy_chk* | __stack_chk_* | .rodata* | .text* | .LC*) ;;
		*) fail "calls $name" ;;
		esac
	done
}

# The main thread fetches the sound of ALSA itself: a microphone that listens has no thread of ours that one which is off does not have.
test_no_thread_for_the_sound() { # at most 30 s
	local off
	ours() { cat /proc/"$P"/task/*/comm | grep -c '^kwsd$'; }
	pulse_start
	kwsd_start -d kws16 -o audio.enabled=no -o control.path="$T/control"
	await 10 test -S "$T/control" || fail "not started"
	off=$(ours)
	kwsd_stop
	kwsd_start -d kws16 -o control.path="$T/control2"
	await 10 logged listening || fail "not listening"
	[ "$(ours)" = "$off" ] || fail "$(ours) threads while it listens, $off while it does not"
	kwsd_stop
}

# Pieces of 200 ms: nothing is lost, and the bits are those of the file.
test_power() { # at most 60 s
	pulse_start
	short 16000 raw "$T/in.raw"
	kwsd_start -d fifo16 -o audio.latency_ms=power
	recording
	pace "$T/in.raw" 32000 > "$T/pulse/fifo16"
	same_events "$T/short.wav"
	! logged "[^_]lost" || fail "audio was lost"
}

# through_pipewire INPUT: the words of the recording, from a sink of 48 kHz to 16 kHz; and again, when the server has died and is back
through_pipewire() {
	local state n=0 deaths=0
	lost() { [ "$(grep -c "audio lost" "$T/err")" -ge $deaths ]; }
	short 48000 wav "$T/in.wav" 2
	for state in listening 'audio is back'; do
		pipewire_start
		sink desk 48000 2
		[ "$1" = desk ] || { pipewire_plugin; pipewire_input "$1" "$PLUGIN" >> "$ALSA_CONFIG_PATH"; }
		[ $n != 0 ] || kwsd_start -d "$1"
		await 20 logged "$state: $1 at 16000 Hz" || fail "no word of: $state"
		play desk "$T/in.wav"
		n=$((n + $(wc -l < "$T/want")))
		await 5 lines "$T/out" $n || fail "$(wc -l < "$T/out") events, want $n"
		# shellcheck disable=SC2086
		kill $PIPEWIRE
		deaths=$((deaths + 1))
		await 10 lost || fail "does not notice that the server is gone"
	done
	kwsd_stop
	[ "$(words "$T/out")" = "$(words "$T/want")$(words "$T/want")" ] || fail "heard $(words "$T/out"), want $(words "$T/want") twice"
}

test_pipewire_by_pulse() { # at most 90 s
	through_pipewire desk
}

test_pipewire_by_its_plugin() { # at most 90 s
	through_pipewire pipewire
}

# the library's example on a real microphone
test_library_microphone() { # at most 60 s
	pulse_start
	short 16000 wav "$T/in.wav"
	# shellcheck disable=SC2046
	cc -o "$T/microphone" -Iinclude examples/microphone.c "$B/libkws.so.0" $(pkg-config --cflags --libs portaudio-2.0) || fail "examples/microphone.c"
	LD_LIBRARY_PATH=$B "$T/microphone" "$MODEL" 12 > "$T/out" 2> "$T/err" &
	local p=$!
	PIDS="$PIDS $p"
	sleep 1
	play kws16 "$T/in.wav"
	wait $p || fail "microphone ended with status $?"
	sed -n 's/.*"word":"\([^"]*\)".*/\1/p' "$T/want" > "$T/words"
	cut -d' ' -f1 "$T/out" | cmp - "$T/words" || fail "heard $(tr '\n' ' ' < "$T/out"), want $(tr '\n' ' ' < "$T/words")"
}
