# wyoming_ha.sh - kwsd-wyoming with Home Assistant's own code, in the folder of a system that has it installed: KWS_HA_ROOT
. tests/system/wyoming.sh

# What Home Assistant makes of the service: its name and words, as its WyomingService reads them; and a word that its own
# provider waits for, with and without a name, twice.
test_home_assistant() { # at most 180 s
	need sox
	need_root
	[ -n "${KWS_HA_ROOT:-}" ] || skip "KWS_HA_ROOT names no folder with Home Assistant"
	[ -x "$KWS_HA_ROOT/v/bin/python" ] || skip "$KWS_HA_ROOT has no /v/bin/python"
	H=$KWS_HA_ROOT/tmp/kws-wyoming.$$
	mkdir -p "$H" || skip "$KWS_HA_ROOT cannot be written"
	trap 'rm -rf "$H"; cleanup' EXIT
	cp tests/system/wyoming_ha.py "$H"
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 -e signed -t raw "$H/in.raw" trim 0 10
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 "$T/in.wav" trim 0 10
	spotted "$T/in.wav" > "$T/want"
	wyoming_start
	chroot "$KWS_HA_ROOT" /v/bin/python "/tmp/${H##*/}/wyoming_ha.py" "$PORT" "/tmp/${H##*/}/in.raw" stop > "$T/got" 2> "$T/err2" || fail "$(cat "$T/got"; tail -n 5 "$T/err2")"
	cat "$T/got"
	grep -qx "service kwsd wake_word" "$T/got" || fail "not a wake-word service"
	grep -qx "words yes no up down left right on off stop go" "$T/got" || fail "words"
	grep -qx "any $(head -n 1 "$T/want")" "$T/got" || fail "the first word"
	[ "$(grep -cx "stop $(grep '^stop ' "$T/want" | head -n 1)" "$T/got")" = 2 ] || fail "the wanted word"
	wyoming_stop
}
