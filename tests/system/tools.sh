# tools.sh - kws devices, listen and doctor, on real devices and on sounds made to be wrong

test_devices() { # at most 30 s
	pulse_start
	"$KWS" devices > "$T/out" 2> "$T/err" || fail "status $?"
	grep -q "^[* ] kws16 " "$T/out" || fail "kws16 is not in the list: $(cat "$T/out")"
	[ "$(grep -c '^\*' "$T/out")" = 1 ] || fail "not one default"
	"$KWS" devices --json --rates > "$T/json" 2>> "$T/err" || fail "status $?"
	grep '"id": *"kws48"' "$T/json" | grep -q '48000' || fail "no rates"
	ALSA_CONFIG_PATH=/dev/null "$KWS" devices > "$T/out" 2> "$T/err" && fail "found something where there is nothing"
	logged "pcm.!default\|no audio input" || fail "did not say why"
	[ "$(wc -l < "$T/err")" -le 2 ] || fail "the sound libraries talk"
}

test_listen() { # at most 30 s
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	"$KWS" listen -m "$MODEL" -d "raw:$T/in.raw" > "$T/out" 2> "$T/err" || fail "status $?"
	[ "$(grep -c ' score ' "$T/out")" = "$(wc -l < "$T/want")" ] || fail "$(grep -c ' score ' "$T/out") events"
	[ "$(grep -c dBFS "$T/out")" -ge 20 ] || fail "no meter"
	pulse_start
	short 16000 wav "$T/in.wav"
	timeout 20 "$KWS" listen -m "$MODEL" -d kws16 -s 6 > "$T/out" 2> "$T/err" & local l=$!
	await 5 grep -q "kws16 at 16000 Hz" "$T/out" || sleep 1
	play kws16 "$T/in.wav"
	wait $l || fail "status $?"
	[ "$(grep -c ' score ' "$T/out")" -ge 1 ] || fail "deaf: $(tail -n 3 "$T/out")"
}

# sound NAME SOX-EFFECTS: four seconds of it
sound() { local n=$1; shift; sox -D -n -r 16000 -c 1 -b 16 -e signed -t raw "$T/$n.raw" synth 4 "$@"; }
says() { # NAME STATUS TEXT
	"$KWS" doctor -m "$MODEL" -d "raw:$T/$1.raw" > "$T/out" 2> "$T/err"
	local status=$?
	[ $status = "$2" ] || fail "$1: status $status: $(cat "$T/out")"
	grep -q "$3" "$T/out" || fail "$1: $(cat "$T/out")"
}

test_doctor() { # at most 60 s
	need sox
	sound fine whitenoise vol 0.1
	sound zero whitenoise vol 0
	sound loud sine 300 gain 20
	sound offset whitenoise vol 0.05 dcshift 0.3
	sound quiet whitenoise vol 0.0003
	says fine 0 "^ok   level"
	says zero 1 "^BAD  digital silence"
	says loud 0 "^odd  clipped"
	says offset 0 "^odd  a constant offset"
	says quiet 0 "^odd  very quiet"
	printf 'pcm.!default { type null }\n' > "$T/alsa.conf"
	ALSA_CONFIG_PATH=$T/alsa.conf JACK_NO_START_SERVER=1 "$KWS" doctor -m "$MODEL" -d nothing-like-it > "$T/out" 2>&1
	[ $? = 1 ] || fail "no device: status"
	grep -q "^BAD" "$T/out" && grep -q -e "->" "$T/out" || fail "no device: $(cat "$T/out")"
	"$KWS" doctor -m /nonexistent -d "raw:$T/fine.raw" > "$T/out" 2> "$T/err"
	grep -q "^BAD  the model" "$T/out" || fail "no model: $(cat "$T/out")"
	pulse_start
	"$KWS" doctor -m "$MODEL" -d kws16 -s 1 > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q "^BAD  digital silence" "$T/out" || fail "a silent monitor: $(cat "$T/out")"
}
