# lists.sh - several microphones, several models on each, gates, and what changes while they hear.

# conf TEXT: the configuration, with what every test has
conf() {
	cat > "$T/k.conf" <<-X
		[control]
		path = $T/control
		state = $T/kept.conf
		[journal]
		enabled = no
		[stdout]
		enabled = yes
	X
	cat >> "$T/k.conf"
}
start() {
	: >> "$T/out"
	"$KWSD" -c "$T/k.conf" >> "$T/out" 2>> "$T/err" &
	P=$!
	PIDS="$PIDS $P"
}
ctl() { "$KWS" ctl --socket "$T/control" "$@"; }
# told FIELD=VALUE FILE: the lines of which that is true
told() { grep "\"${1%%=*}\":\"${1#*=}\"" "$2"; }
# what FILE: word and place of each event
what() { sed -n 's/^{\("word":"[^"]*","start":[^,]*,"end":[^,]*\),.*"score":\([^,]*\),.*/\1 \2/p' "$1"; }

# Two microphones, one of another rate, and two models on each: each pair hears what it would hear alone.
test_each_hears_as_if_alone() { # at most 60 s
	audio 16000 wav "$T/a.wav"
	audio 48000 wav "$T/b.wav"
	conf <<-X
		[audio a]
		device = raw:$T/a.wav
		[audio b]
		device = raw:$T/b.wav
		models = all
		[model all]
		path = $MODEL
		[model again]
		path = $MODEL
	X
	start
	wait "$P" || fail "status $?"
	offline "$T/a.wav" > "$T/want.a"
	offline "$T/b.wav" > "$T/want.b"
	[ -s "$T/want.a" ] || fail "nothing to find"
	told listener=a "$T/out" | told spotter=all - > "$T/a.all"
	told listener=a "$T/out" | told spotter=again - > "$T/a.again"
	told listener=b "$T/out" > "$T/b.all"
	told spotter=again "$T/b.all" && fail "b hears what it is not to hear"
	for pair in a:a.all a:a.again b:b.all; do
		cmp <(what "$T/want.${pair%%:*}") <(what "$T/${pair#*:}") || fail "$pair"
	done
	[ "$(field id < "$T/out" | sort | uniq -d | wc -l)" = 0 ] || fail "two events have one id"
}

gated() { # DEVICE
	conf <<-X
		[audio]
		device = raw:$1
		[model wake]
		path = $MODEL
		[decision wake]
		threshold = 1
		[threshold wake]
		go = 0.9
		[model order]
		path = $MODEL
		after = wake
		within_s = 4
	X
}

# The same gate in a file and live, however it is cut; every gated event names the one before.
test_gate() { # at most 60 s
	audio 16000 wav "$T/a.wav"
	audio 16000 raw "$T/a.raw"
	gated "$T/a.wav"
	start
	wait "$P" || fail "status $?"
	cp "$T/out" "$T/file"
	told after=go "$T/file" > "$T/after" || fail "nothing comes after go"
	[ "$(told spotter=order "$T/file" | wc -l)" = "$(wc -l < "$T/after")" ] || fail "an order without go"
	for id in $(field after_id < "$T/after"); do
		told spotter=wake "$T/file" | told "id=$id" - | grep -q '"word":"go"' || fail "after_id names no go"
	done
	"$KWS" spot -m "wake=$MODEL" -m "order=$MODEL" --after order=wake --within 4 --threshold wake:1 --threshold wake:go=0.9 \
		--format jsonl "$T/a.wav" > "$T/want" || fail "kws spot"
	cmp <(what "$T/want") <(what "$T/file") || fail "kws spot says something else"
	cmp <(field after < "$T/want") <(field after < "$T/file") || fail "kws spot names something else"
	# in pieces of odd sizes
	mkfifo "$T/mic"
	gated "$T/mic"
	: > "$T/out"
	start
	{
		for n in 1 3 317 12345 777 99999 4001 31; do dd bs="$n" count=1 iflag=fullblock status=none; sleep 0.05; done
		cat
	} < "$T/a.raw" > "$T/mic"
	await 20 lines "$T/out" "$(wc -l < "$T/file")" || fail "fewer events in pieces"
	kwsd_stop
	cmp <(what "$T/file") <(what "$T/out") || fail "in pieces it is something else"
}

# A microphone that hears all the while: others come, models come and go, and it loses nothing.
test_reload_adds_and_removes() { # at most 60 s
	audio 16000 raw "$T/a.raw"
	audio 16000 wav "$T/b.wav"
	offline "$T/b.wav" > "$T/want"
	mkfifo "$T/mic"
	one() { printf '[model all]\npath = %s\n[audio a]\ndevice = raw:%s/mic\nmodels = all\n' "$MODEL" "$T"; }
	one | conf
	start
	exec 7> "$T/mic"
	await 5 ctl version || fail "no answer"
	pace "$T/a.raw" 160000 >&7 & local feeder=$!; PIDS="$PIDS $feeder"
	sleep 0.6
	{ one; printf '[audio b]\ndevice = raw:%s/b.wav\n[model more]\npath = %s\nafter = all\n' "$T" "$MODEL"; } | conf
	ctl reload || fail "refused"
	sleep 0.6
	one | conf
	ctl reload || fail "refused"
	printf '[audio a]\ndevice = 1\n' | conf
	ctl reload 2> "$T/err2" && fail "a wrong one is taken"
	grep -q 'device: 1 is not a name' "$T/err2" || fail "no reason: $(cat "$T/err2")"
	wait $feeder
	exec 7>&-
	all_of_a() { [ "$(told listener=a "$T/out" | wc -l)" -ge "$(wc -l < "$T/want")" ]; }
	await 10 all_of_a
	kwsd_stop
	cmp <(what "$T/want") <(what <(told listener=a "$T/out")) || fail "a lost something, or told it twice"
	cmp <(what "$T/want") <(what <(told listener=b "$T/out" | told spotter=all -)) || fail "b has heard something else"
	told gap_reason= "$T/out" > "$T/whole"
	[ "$(wc -l < "$T/whole")" = "$(wc -l < "$T/out")" ] || fail "a gap"
}

# Set, kept, turned off and on again by kws ctl.
test_set_while_it_hears() { # at most 60 s
	mkfifo "$T/mic"
	printf '[model]\npath = %s\n[audio kitchen]\ndevice = raw:%s/mic\n' "$MODEL" "$T" | conf
	start
	exec 7<> "$T/mic"
	await 5 ctl version || fail "no answer"
	ctl set threshold.yes=0.25 || fail "not set"
	ctl set --keep threshold.no=0.35 || fail "not kept"
	ctl set threshold.perhaps=0.5 2> "$T/err2" && fail "a word that is not there"
	ctl set 'audio kitchen.device=default' 2> "$T/err2" && fail "a device without a reload"
	state_is() { ctl --json status | grep -q "\"state\":\"$1\""; }
	threshold() { ctl --json status | grep -o "\"$1\":[0-9.]*" | head -n 1; }
	[ "$(threshold yes) $(threshold no)" = '"yes":0.25 "no":0.35' ] || fail "not in force: $(threshold yes) $(threshold no)"
	ctl reload || fail "refused"
	[ "$(threshold yes)" != '"yes":0.25' ] || fail "what is not kept is kept"
	[ "$(threshold no)" = '"no":0.35' ] || fail "what is kept is gone after a reload"
	ctl off kitchen || fail "not turned off"
	await 5 state_is off || fail "not closed"
	ctl on kitchen || fail "not turned on"
	await 5 state_is running || fail "not opened again"
	kwsd_stop
	start
	await 5 ctl version || fail "no answer"
	[ "$(threshold no)" = '"no":0.35' ] || fail "what is kept is gone after a start"
	kwsd_stop
	exec 7>&-
}
