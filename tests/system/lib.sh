# lib.sh - what the system tests share. Sourced by `run`, once a test; each test is a function test_* and has its own folder $T.
#
# The parts are real: PulseAudio, PipeWire, JACK, systemd, the programs in $B. KWS_TEST_MODEL and KWS_TEST_AUDIO choose what is heard.
set -u
B=$(cd "${KWS_BUILD:-build}" && pwd) || exit 1
KWSD=$B/kwsd KWS=$B/kws
MODEL=$(readlink -f "${KWS_TEST_MODEL:-config/models/commands-12.safetensors}")
AUDIO=$(readlink -f "${KWS_TEST_AUDIO:-tests/data/demo.flac}")
ROOT=$PWD
T=$(mktemp -d "${TMPDIR:-/tmp}/kws-system.XXXXXX")
PIDS=

cleanup() {
	for p in $PIDS; do kill -CONT "$p" 2>/dev/null; kill -KILL "$p" 2>/dev/null; done
	for m in $T/mnt $T/fs; do mountpoint -q "$m" && umount "$m"; done
	rm -rf --one-file-system "$T"
}
trap cleanup EXIT
# ThreadSanitizer does not see the locks of libraries that it was not compiled into
grep -q __tsan_init "$KWSD" && export TSAN_OPTIONS="${TSAN_OPTIONS:-} suppressions=$ROOT/tests/system/tsan.supp die_after_fork=0"

skip() { echo "SKIP: $*"; exit 77; }
fail() {
	echo "FAIL: $*"
	for f in "$T"/err* "$T"/log; do [ -s "$f" ] && { echo "--- ${f##*/}"; tail -n 25 "$f"; }; done
	exit 1
}
need() { for c in "$@"; do command -v "$c" >/dev/null || skip "$c is not installed"; done; }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

# await SECONDS COMMAND...: until the command succeeds
await() {
	local n=$(($1 * 20)); shift
	while [ "$n" -gt 0 ]; do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; n=$((n - 1)); done
	return 1
}
lines() { [ "$(wc -l < "$1")" -ge "$2" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }
now_ms() { date +%s%3N; }

# kwsd_start [OPTION...]: events in $T/out, log in $T/err, process in $P
kwsd_start() {
	: > "$T/out"
	"$KWSD" -c /dev/null -m "$MODEL" -o stdout.enabled=yes -o journal.enabled=no "$@" >> "$T/out" 2>> "$T/err" &
	P=$!
	PIDS="$PIDS $P"
}
logged() { grep -q -e "$1" "$T/err"; }
n_logged() { grep -c -e "$1" "$T/err"; }
# kwsd_stop: SIGTERM; exit status 0 within a second
kwsd_stop() {
	local t; t=$(now_ms)
	kill -TERM "$P"
	wait "$P" || fail "kwsd ended with status $? after SIGTERM"
	t=$(($(now_ms) - t))
	[ $t -lt 1500 ] || fail "kwsd took $t ms to end"   # a second, and half of one for a busy machine
}

# page_blocks FILE.TEST [N]: the commands of the pages that this test runs, or the Nth block of them (tests/docs.py)
page_blocks() {
	python3 tests/docs.py --of "tests/system/run $1" ${2:+--nth "$2"} > "$T/blocks" || fail "no page has block ${2:-} for $1" >&2
	cat "$T/blocks"
}
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^,\"}]*\\).*/\\1/p"; }
words() { field word < "$1" | tr '\n' ' '; }
offline() { "$KWS" spot -m "$MODEL" --format jsonl "$@"; }
# audio RATE FORMAT OUT [CHANNELS]: the recording, at that rate, as wav or headerless 16 bit
audio() {
	need sox
	case $2 in
	raw) sox -D "$AUDIO" -r "$1" -c "${4:-1}" -b 16 -e signed -t raw "$3" ;;
	*) sox -D "$AUDIO" -r "$1" -c "${4:-1}" -b 16 -e signed "$3" ;;
	esac
}
# silence SECONDS: zero samples of raw 16 kHz PCM would be digital silence; this is a whisper of noise
hush() { sox -n -r 16000 -c 1 -b 16 -e signed -t raw - synth "$1" whitenoise vol 0.001; }

# pulse_start: a PulseAudio of our own, with two null sinks whose monitors are microphones, and two pipes
pulse_start() {
	need pulseaudio pactl paplay
	local D=$T/pulse S=unix:$T/pulse/native
	mkdir -p "$D/run"; chmod 700 "$D/run"
	cat > "$D/default.pa" <<X
load-module module-native-protocol-unix socket=$D/native auth-anonymous=1
load-module module-null-sink sink_name=kws16 norewinds=1 rate=16000 channels=1 format=s16le
load-module module-null-sink sink_name=kws48 norewinds=1 rate=48000 channels=2 format=s16le
load-module module-pipe-source source_name=fifo16 file=$D/fifo16 format=s16le rate=16000 channels=1
load-module module-pipe-source source_name=fifo48 file=$D/fifo48 format=s16le rate=48000 channels=1
set-default-source kws16.monitor
X
	cat > "$D/alsa.conf" <<X
pcm.kws16  { type pulse server "$S" device "kws16.monitor" }
pcm.kws48  { type pulse server "$S" device "kws48.monitor" }
pcm.fifo16 { type pulse server "$S" device "fifo16" }
pcm.fifo48 { type pulse server "$S" device "fifo48" }
pcm.!default { type pulse server "$S" }
X
	export PULSE_SERVER=$S ALSA_CONFIG_PATH=$D/alsa.conf JACK_NO_START_SERVER=1
	pulse_server
}
pulse_server() {
	local D=$T/pulse
	rm -f "$D"/fifo*
	HOME=$D XDG_RUNTIME_DIR=$D/run setsid pulseaudio -n -F "$D/default.pa" --daemonize=no --exit-idle-time=-1 \
		--disallow-exit --use-pid-file=no > "$T/log" 2>&1 < /dev/null &
	PULSE=$!
	PIDS="$PIDS $PULSE"
	await 10 pactl info || fail "pulseaudio does not start"
}
play() { paplay --latency-msec=50 --device="$1" "$2"; }
# sink NAME RATE CHANNELS: a sink that sends as much as its listeners ask for, as cards do, and its monitor as an ALSA input
sink() {
	pactl load-module module-null-sink sink_name="$1" rate="$2" channels="$3" format=s16le > /dev/null || fail "no sink"
	echo "pcm.$1 { type pulse server \"$PULSE_SERVER\" device \"$1.monitor\" }" >> "$ALSA_CONFIG_PATH"
}
# pipewire_start: a PipeWire of our own that speaks PulseAudio's protocol, too; its processes are $PIPEWIRE
pipewire_start() {
	need pipewire wireplumber pipewire-pulse dbus-run-session pactl paplay
	local D=$T/pipewire
	rm -rf "$D"; mkdir -p "$D/run"; chmod 700 "$D/run"
	# the bus ends with its children
	HOME=$D XDG_RUNTIME_DIR=$D/run setsid dbus-run-session -- bash -c \
		'for p in pipewire wireplumber pipewire-pulse; do
			"$p" & echo $! >> "$HOME/pids"
			until [ -S "$XDG_RUNTIME_DIR/pipewire-0" ]; do sleep 0.05; done
		done; wait' > "$T/log" 2>&1 < /dev/null &
	export PULSE_SERVER=unix:$D/run/pulse/native PIPEWIRE_RUNTIME_DIR=$D/run ALSA_CONFIG_PATH=$D/alsa.conf JACK_NO_START_SERVER=1
	echo 'pcm.!default { type pulse }' > "$ALSA_CONFIG_PATH"
	await 10 lines "$D/pids" 3 || fail "pipewire does not start"
	PIPEWIRE=$(paste -s -d ' ' "$D/pids") PIDS="$PIDS $PIPEWIRE"
	await 10 pactl info || fail "pipewire-pulse does not start"
	await 10 sh -c 'pactl info | grep -q "Default Source: .*monitor"' || fail "wireplumber does not start"
}
# pipewire_plugin: $PLUGIN, what ALSA's input `pipewire` needs. Debian has it in a package that excludes pulseaudio: it is unpacked, not installed
pipewire_plugin() {
	find_it() { PLUGIN=$(find "$@" -name libasound_module_pcm_pipewire.so -print -quit 2> /dev/null); [ -n "$PLUGIN" ]; }
	find_it /usr/lib "$T/plugin" && return
	(cd "$T" && timeout 20 apt-get -q download pipewire-alsa && dpkg -x pipewire-alsa_*.deb plugin) > /dev/null 2>&1
	find_it "$T/plugin" || skip "no ALSA plugin for PipeWire"
}
# pipewire_input NAME PLUGIN: in the language of ALSA's configuration, the default source
pipewire_input() { echo "pcm_type.pipewire { lib \"$2\" } pcm.$1 { type pipewire capture_node \"-1\" playback_node \"-1\" }"; }
# short RATE FORMAT OUT [CHANNELS]: the recording up to its second word; $T/want are the events of that piece
short() {
	need sox
	local end
	end=$(offline "$AUDIO" | field decided | sed -n 2p)
	[ -n "$end" ] || fail "the recording has no two words for this model"
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 -e signed "$T/short.wav" trim 0 "$end" pad 0 0.8
	AUDIO=$T/short.wav audio "$@"
	offline "$T/short.wav" > "$T/want"
}
# pace FILE BYTES_A_SECOND: FILE to standard output, about as fast as time
pace() {
	local n=$(($2 / 20)) left
	left=$((($(stat -c %s "$1") + n - 1) / n))
	while [ "$left" -gt 0 ]; do dd bs="$n" count=1 status=none; sleep 0.045; left=$((left - 1)); done < "$1"
}
# wide_model FILE OWN ALL STRIDE: a legal model of zeros, with ALL layers of 8 MiB, OWN of them different; a network frame is STRIDE x 10 ms
wide_model() {
	local d=1024 f=1024 at=0 h i ls='' p
	tensor() { # NAME SHAPE FLOATS
		h="$h,\"$1\":{\"dtype\":\"F32\",\"shape\":[$2],\"data_offsets\":[$at,$((at + 4 * $3))]}"; at=$((at + 4 * $3))
	}
	for i in $(seq 1 "$3"); do
		[ "$i" -le "$2" ] && ls="$ls,{\\\"kind\\\":\\\"nffn\\\",\\\"ffn\\\":$f,\\\"norm\\\":\\\"layernorm\\\",\\\"prenorm\\\":true}" || ls="$ls,{\\\"share\\\":0}"
	done
	h='{"__metadata__":{"format":"kws-model","version":"1","name":"wide","licence":"CC0-1.0","words":"[\"yes\",\"_unknown_\"]",'
	h=$h'"features":"{\"kind\":\"log-mel\",\"rate_hz\":16000,\"win\":400,\"hop\":160,\"n_fft\":512,\"n_mels\":10,\"f_lo_hz\":20.0,\"f_hi_hz\":7600.0,\"log_floor\":1e-5,\"mel\":\"htk\",\"normalisation\":\"affine\"}",'
	h=$h'"network":"{\"stack\":'$4',\"stride\":'$4',\"dim\":'$d',\"layers\":['${ls#,}'],\"final_norm\":\"layernorm\",\"pool\":10,\"head\":16}",'
	h=$h'"decision":"{\"smooth_ms\":60,\"refractory_ms\":500,\"threshold\":0.5}"}'
	tensor features.mean 10 10; tensor features.scale 10 10
	tensor input.weight $d,$((10 * $4)) $((d * 10 * $4)); tensor input.bias $d $d
	for i in $(seq 0 $(($2 - 1))); do
		p=layers.$i.
		tensor ${p}norm.norm.weight $d $d; tensor ${p}norm.norm.bias $d $d
		tensor ${p}fc1.weight $f,$d $((f * d)); tensor ${p}fc1.bias $f $f
		tensor ${p}fc2.weight $d,$f $((f * d)); tensor ${p}fc2.bias $d $d
	done
	tensor final_norm.norm.weight $d $d; tensor final_norm.norm.bias $d $d
	tensor head.fc1.weight 16,$d $((16 * d)); tensor head.fc1.bias 16 16
	tensor head.fc2.weight 2,16 32; tensor head.fc2.bias 2 2
	h="$h}"
	while [ $((${#h} % 8)) != 0 ]; do h="$h "; done
	printf "$(printf '\\x%02x\\x%02x\\0\\0\\0\\0\\0\\0' $((${#h} % 256)) $((${#h} / 256)))" > "$1"
	printf %s "$h" >> "$1"
	truncate -s $((8 + ${#h} + at)) "$1"
}

# A pipe that we hold open and feed slowly, so that all happens in the middle of audio.
start_slow() {
	audio 16000 raw "$T/in.raw"; audio 16000 wav "$T/in.wav"
	offline "$T/in.wav" > "$T/want"
	# shellcheck disable=SC2034 # the tests read it
	N=$(wc -l < "$T/want")
	mkfifo "$T/mic"
	: > "$T/k.conf"
	: > "$T/out"
	"$KWSD" -c "$T/k.conf" -m "$MODEL" -d "raw:$T/mic" -o stdout.enabled=yes -o journal.enabled=no >> "$T/out" 2>> "$T/err" &
	P=$!; PIDS="$PIDS $P"
	exec 7> "$T/mic"
}

# caught_by PID: it is kwsd, and no longer the shell that starts it, and has a handler for SIGUSR1, the last that it sets up
caught_by() { local m; [ "/proc/$1/exe" -ef "$KWSD" ] && m=$(awk '/^SigCgt/ {print $2}' "/proc/$1/status") && [ $((0x$m >> 9 & 1)) = 1 ]; }
