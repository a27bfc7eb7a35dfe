# devices.sh - several devices open in one process, which build/microphones opens and closes

# microphones_start: its orders go to descriptor 8, its answers to $T/answers
microphones_start() {
	mkfifo "$T/orders"
	: > "$T/answers"
	"$B/microphones" < "$T/orders" > "$T/answers" 2> "$T/err" &
	M=$!
	PIDS="$PIDS $M"
	exec 8> "$T/orders"
}
# order WORDS...: and wait for its answer, into $ANSWER
order() {
	local n; n=$(($(wc -l < "$T/answers") + 1))
	echo "$@" >&8
	await 20 lines "$T/answers" $n || fail "no answer to: $*"
	ANSWER=$(tail -n 1 "$T/answers")
}
opened() { order open "$1" "$T/$1.raw"; [ "$ANSWER" = "open $1 16000" ] || fail "$1: $ANSWER"; }
closed() { order close "$1"; [ "$ANSWER" = "closed $1" ] || fail "$1: $ANSWER"; }

# noise NAME SECONDS: raw 16 kHz PCM in which no piece is another's
noise() { sox -n -r 16000 -c 1 -b 16 -e signed -t raw "$T/$1" synth "$2" whitenoise vol 0.3; }
# all_heard NAME FILE: what was heard from the first sample of FILE on is FILE, to the bit
all_heard() {
	python3 - "$T/$1.raw" "$2" <<'P' || fail "$1: not all of it was heard, to the bit"
import sys
heard, said = (open(f, "rb").read() for f in sys.argv[1:])
said = said[:len(said) - 320]  # less than a hop may still be on its way
at = heard.find(said[:3200])
while at % 2:
    at = heard.find(said[:3200], at + 1)
sys.exit(at < 0 or heard[at:at + len(said)] != said)
P
}

# Two at once; and the first hears every sample, however often the second is closed and opened.
test_two_devices_at_once() { # at most 60 s
	need sox python3
	pulse_start
	noise a 5; noise b 1
	sox -r 16000 -c 1 -b 16 -e signed -t raw "$T/b" "$T/b.wav"
	microphones_start
	opened fifo16
	pace "$T/a" 32000 > "$T/pulse/fifo16" & local p=$!; PIDS="$PIDS $p"
	for _ in 1 2 3; do
		opened kws16
		play kws16 "$T/b.wav"
		sleep 0.3
		closed kws16
		all_heard kws16 "$T/b"
	done
	wait $p
	sleep 0.3
	closed fifo16
	all_heard fifo16 "$T/a"
}

# What is there only when another device is already open: a source that was loaded, and one that has just been given its name.
test_a_device_that_comes_later() { # at most 60 s
	need sox python3
	pulse_start
	noise a 3
	noise b 1
	microphones_start
	order open late "$T/late.raw"
	case $ANSWER in "late: no such device"*) ;; *) fail "late: $ANSWER" ;; esac
	opened fifo16
	pace "$T/a" 32000 > "$T/pulse/fifo16" & local p=$!; PIDS="$PIDS $p"
	sleep 1.1 # alsa-lib sees only in whole seconds that a file is newer
	echo "pcm.late { type pulse server \"$PULSE_SERVER\" device \"late\" }" >> "$ALSA_CONFIG_PATH"
	order open late "$T/late.raw"
	case $ANSWER in "late: "*) ;; *) fail "late, without a source: $ANSWER" ;; esac
	pactl load-module module-pipe-source source_name=late file="$T/pulse/late" format=s16le rate=16000 channels=1 > /dev/null || fail "no source"
	opened late
	pace "$T/b" 32000 > "$T/pulse/late"
	sleep 0.3
	closed late
	all_heard late "$T/b"
	wait $p
	sleep 0.3
	closed fifo16
	all_heard fifo16 "$T/a"
}
