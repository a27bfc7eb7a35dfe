# faults.sh - what happens to microphones

# hears: play the short recording to kws16 and see both words come
hears() {
	local n; n=$(wc -l < "$T/out")
	play "${1:-kws16}" "$T/in.wav"
	await 5 lines "$T/out" $((n + $(wc -l < "$T/want"))) || fail "deaf: $(tail -n 3 "$T/err")"
}
begin() {
	pulse_start
	short 16000 wav "$T/in.wav"
	kwsd_start -d "${1:-kws16}" -o audio.backoff_ms=100 -o audio.backoff_max_s=1
	await 5 logged listening || fail "not listening"
	hears
}
gap_told() { tail -n "$(wc -l < "$T/want")" "$T/out" | head -n 1 | grep -q '"gap_count":[1-9].*"gap_reason":"'"$1" || fail "the event does not tell of the gap"; }

test_pulse_killed() { # at most 60 s
	begin
	kill -KILL "$PULSE"
	await 5 logged "audio lost" || fail "the loss was not seen"
	sleep 3 # some attempts
	pulse_server
	await 10 logged "audio is back" || fail "not back"
	[ "$(n_logged 'audio lost')" = 1 ] && [ "$(n_logged 'no audio:')" -le 3 ] || fail "logged more than once"
	hears
	gap_told ""
	kwsd_stop
}

test_module_unloaded() { # at most 60 s
	begin
	pactl unload-module "$(pactl list short modules | awk '/sink_name=kws16/ {print $1}')"
	await 5 logged "audio lost: .*stalled" || fail "the stall was not seen"
	pactl load-module module-null-sink sink_name=kws16 norewinds=1 rate=16000 channels=1 format=s16le > /dev/null
	await 10 logged "audio is back" || fail "not back"
	hears
	gap_told stalled
	kwsd_stop
}

test_server_stopped_and_continued() { # at most 60 s
	begin
	kill -STOP "$PULSE"
	await 5 logged "audio lost: .*stalled" || fail "the stall was not seen"
	sleep 2
	kill -CONT "$PULSE"
	await 15 logged "audio is back" || fail "not back"
	hears
	kwsd_stop
}

# PulseAudio moves a stream of the default device along; when that device goes, too, it moves back, or we open anew.
test_default_device_changed() { # at most 60 s
	begin default
	pactl load-module module-null-sink sink_name=other norewinds=1 rate=16000 channels=1 format=s16le > /dev/null
	pactl set-default-source other.monitor
	sleep 1
	hears other
	pactl unload-module "$(pactl list short modules | awk '/sink_name=other/ {print $1}')"
	pactl set-default-source kws16.monitor # not one of the pipes
	sleep 2
	hears kws16
	kwsd_stop
}

test_source_suspended() { # at most 60 s
	begin
	pactl suspend-source kws16.monitor 1; pactl suspend-sink kws16 1
	await 5 logged "audio lost" || fail "the stall was not seen"
	pactl suspend-sink kws16 0; pactl suspend-source kws16.monitor 0
	await 15 logged "audio is back" || fail "not back"
	hears
	kwsd_stop
}

# The daemon itself stood still: the device is not to blame, and pulse has kept the audio.
test_daemon_stopped_and_continued() { # at most 60 s
	begin
	kill -STOP "$P"; sleep 1.2; kill -CONT "$P"
	hears
	[ "$(n_logged 'audio lost')" = 0 ] || fail "blamed the device"
	kwsd_stop
}

test_no_device_at_first() { # at most 60 s
	need pulseaudio
	short 16000 wav "$T/in.wav"
	mkdir -p "$T/pulse"
	printf 'pcm.!default { type null }\n' > "$T/pulse/alsa.conf"
	export ALSA_CONFIG_PATH=$T/pulse/alsa.conf JACK_NO_START_SERVER=1
	kwsd_start -d kws16 -o audio.backoff_ms=100 -o audio.backoff_max_s=1
	await 5 logged "no audio: kws16: no such device" || fail "not told"
	sleep 1
	[ "$(n_logged 'no audio:')" = 1 ] || fail "told more than once"
	pulse_start
	await 10 logged listening || fail "not listening"
	hears
	kwsd_stop
}

# An ALSA configuration without pcm.!default makes PortAudio abort; not us.
test_alsa_configuration_that_aborts() { # at most 30 s
	export ALSA_CONFIG_PATH=/dev/null JACK_NO_START_SERVER=1
	kwsd_start -o audio.backoff_ms=100
	await 5 logged "no audio: .*pcm.!default" || await 1 logged "no audio" || fail "not told"
	kill -0 "$P" || fail "kwsd is gone"
	kwsd_stop
}

test_digital_silence() { # at most 60 s
	pulse_start
	short 16000 wav "$T/in.wav"
	kwsd_start -d kws16 -o audio.silence_s=2
	await 10 logged "digital silence" || fail "not seen"
	await 5 logged "audio is back" || fail "not opened anew"
	hears
	await 2 logged "sound again" || fail "the end of the silence was not told"
	[ "$(n_logged 'digital silence: the same')" = 1 ] || fail "told more than once"
	kwsd_stop
}

jack_start() {
	need jackd
	cat > "$T/alsa.conf" <<< 'pcm.!default { type null }'
	export ALSA_CONFIG_PATH=$T/alsa.conf JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER=kws$$
	jackd -n kws$$ -r -d dummy -r 16000 -p 160 -C 2 -P 2 > "$T/log" 2>&1 &
	JACK=$!; PIDS="$PIDS $JACK"
	await 10 jack_there || fail "jackd does not start"
}
jack_there() { "$KWS" devices 2> /dev/null | grep -q JACK; }
jack_done() { rm -rf /dev/shm/jack*kws$$* /dev/shm/jack_db-* /dev/shm/jack-shm-registry 2> /dev/null; }

# JACK tells when it threw audio away.
test_jack_overflow() { # at most 60 s
	jack_start
	kwsd_start -d "system" -o audio.silence_s=0
	await 10 logged listening || fail "not listening"
	sleep 0.5
	kill -STOP "$P"; sleep 1; kill -CONT "$P"
	await 5 logged "audio lost: .*overflow" || fail "the overflow was not seen"
	kill -0 "$P" || fail "kwsd is gone"
	kwsd_stop
	kill "$JACK"; wait "$JACK"; jack_done
}

# PortAudio hangs when jackd dies: the daemon leaves that to a new process, in time, with its own status.
test_jack_killed() { # at most 60 s
	local status
	jack_start
	kwsd_start -d "system" -o audio.silence_s=0 -o audio.teardown_ms=1000
	await 10 logged listening || fail "not listening"
	kill -KILL "$JACK"
	await 5 logged "audio lost: .*stalled" || fail "the stall was not seen"
	if await 5 gone "$P"; then
		wait "$P"; status=$?
		[ $status = 75 ] || fail "ended with status $status"
		logged "the device hangs" || fail "did not say why"
	else
		kwsd_stop # this PortAudio does not hang
	fi
	jack_done
}
