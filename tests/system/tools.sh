# tools.sh - kws devices, listen and doctor, on real devices and on sounds made to be wrong

test_devices() { # at most 30 s
	pulse_start
	"$KWS" devices > "$T/out" 2> "$T/err" || fail "status $?"
	grep -q "^[* ] kws16 " "$T/out" || fail "kws16 is not in the list: $(cat "$T/out")"
	[ "$(grep -c '^\*' "$T/out")" = 1 ] || fail "not one default"
	"$KWS" devices --format json --rates > "$T/json" 2>> "$T/err" || fail "status $?"
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

# the rows that were drawn on a terminal of so many columns, without escape sequences
on_terminal() { # COLUMNS COMMAND
	TERM=xterm LC_ALL=C script -qec "stty cols $1 rows 24; $2" /dev/null < /dev/null | tr -d '\r' | sed 's/\x1b\[\(H\|?1049l\)/\n/g; s/\x1b\[[0-9;?]*[A-Za-z]//g'
}
test_listen_fits() { # at most 60 s
	need script stty
	audio 16000 raw "$T/in.raw"
	local c widest
	for c in 40 52 80 132; do
		on_terminal $c "'$KWS' listen -m '$MODEL' -d raw:$T/in.raw" > "$T/out" || fail "$c columns: status $?"
		widest=$(awk '{ if (length($0) > n) n = length($0) } END { print n }' "$T/out")
		[ "$widest" -lt $c ] || fail "$c columns: a line of $widest: $(awk -v n="$widest" 'length($0) == n' "$T/out")"
		grep -q ' dBFS ##*' "$T/out" || fail "$c columns: no meter"
		grep -q '^> yes ' "$T/out" || fail "$c columns: no words"
	done
	grep -q 'score 0.9[0-9]* of 0.[0-9]*  -[0-9.]* dBFS  SNR' "$T/out" || fail "132 columns: events are cut"
}

test_listen_thresholds() { # at most 60 s
	audio 16000 raw "$T/in.raw"
	"$KWS" listen -m "$MODEL" -d "raw:$T/in.raw" > "$T/out" 2> "$T/err" || fail "status $?"
	sed -n '/^# kws listen/,$p' "$T/out" > "$T/conf"
	"$KWSD" -t -m "$MODEL" -c "$T/conf" > "$T/effective" 2> "$T/err" || fail "kwsd does not take it: $(cat "$T/conf")"
	[ "$(sed -n '/^\[threshold\]/,$p' "$T/effective" | grep -c ' = 0\.')" = 10 ] || fail "not ten thresholds: $(cat "$T/effective")"
	# with these thresholds, every event that was heard is heard again
	"$KWS" listen -m "$MODEL" -d "raw:$T/in.raw" --threshold "$(sed -n 's/ = /=/p' "$T/conf" | paste -sd,)" > "$T/again" || fail "again: status $?"
	[ "$(grep -c ' score ' "$T/again")" -ge "$(grep -c ' score ' "$T/out")" ] || fail "events are lost"
	# interrupted, it still says them
	mkfifo "$T/pipe"
	"$KWS" listen -m "$MODEL" -d "raw:$T/pipe" > "$T/live" 2> "$T/err" & local l=$!
	PIDS="$PIDS $l"
	{ cat "$T/in.raw"; sleep 20; } > "$T/pipe" & PIDS="$PIDS $!"
	await 10 grep -q ' score ' "$T/live" || fail "nothing was heard"
	kill -INT $l
	wait $l || fail "interrupted: status $?"
	grep -q '^\[threshold\]' "$T/live" || fail "interrupted: no thresholds"
}

# what --help shows of a command: "-m --model"; lines without a letter are "--channel"
options_of() { "$@" --help | sed -n 's/^  \(-.\), \(--[a-z-]*\).*/\1 \2/p; s/^      \(--[a-z-]*\).*/\1/p'; }
commands() { "$KWS" help | sed -n 's/^  kws \([a-z]*\) .*/\1/p' | grep -v help; }
test_letters() { # at most 20 s
	local c twice COMMANDS
	COMMANDS=$(commands)
	{ for c in $COMMANDS; do options_of "$KWS" "$c"; done; options_of "$KWSD"; } | grep '^-. ' | sort -u > "$T/letters"
	lines "$T/letters" 10 || fail "there are no letters"
	twice=$(cut -d' ' -f1 "$T/letters" | uniq -d)
	[ -z "$twice" ] || fail "two meanings: $(grep -e "^$twice" "$T/letters")"
	cut -d' ' -f2 "$T/letters" | sort | uniq -d | grep . && fail "two letters for one option"
	# every command and every option stands in the manual
	for c in $COMMANDS; do
		grep -q "^\.SH ${c^^}\$" docs/kws.1 || fail "$c has no section in kws.1"
		for o in $(options_of "$KWS" "$c" | grep -o -e '--[a-z-]*' | grep -v -e --usage); do
			grep -q -F -e "$(sed 's/-/\\-/g' <<< "$o")" docs/kws.1 || fail "$c $o is not in kws.1"
		done
	done
}

# complete SHELL PROGRAM LINE: what the shell offers
complete() {
	case $1 in
	bash) bash -c '
		. cli/kws.bash-completion
		COMP_LINE=$2 COMP_POINT=${#2}
		read -ra COMP_WORDS <<< "$(sed "s/[:=]/ & /g" <<< "$2")"
		[[ $2 == *[\ =] ]] && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		"_${1%%-*}" 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' - "$2" "$3" ;;
	zsh) zsh -f -c '
		compadd() { local -a ending array; zparseopts -D -E -- S:=ending a=array; (($#array)) && set -- ${(P)1}; print -l -- ${^@}${ending[2]}; }
		_describe() { print -l -- ${${(P)@[-1]}%%:*}; }
		_files() { : }
		compset() { PREFIX=${PREFIX#*=}; }
		service=$1 words=("${(@s: :)2}") CURRENT=${#words}
		PREFIX=$words[CURRENT]
		source cli/kws.zsh-completion' - "$2" "$3" ;;
	fish) fish -c 'source cli/kws.fish-completion; complete -C $argv[1]' "$3" | cut -f1 ;;
	esac
}
offered() { complete "$1" "$2" "$3" > "$T/offer" 2> "$T/err"; grep -q -x -F -e "$4" "$T/offer" || fail "$1: '$3' offers no $4: $(head -n 20 "$T/offer")"; }
test_completion() { # at most 120 s
	local shell c o f COMMANDS
	COMMANDS=$(commands)
	PATH=$B:$PATH
	KWS_MODEL=$MODEL
	export PATH KWS_MODEL
	for shell in bash zsh fish; do
		command -v $shell > /dev/null || { echo "$shell is not installed"; continue; }
		for c in $COMMANDS; do
			offered $shell kws "kws ${c%??}" "$c"
			complete $shell kws "kws $c -" > "$T/all"
			for o in $(options_of "$KWS" "$c"); do grep -q -x -F -e "$o" "$T/all" || fail "$shell: kws $c: no $o"; done
			grep -q -x -e --format "$T/all" || continue
			for f in $("$KWS" "$c" --format nosuch 2>&1 | sed -n 's/.*is not one of \([a-z, ]*\).*/\1/p' | tr -d ,); do
				offered $shell kws "kws $c --format " "$f"
			done
			lines "$T/offer" 2 && ! grep -q nosuch "$T/offer" || fail "$shell: kws $c --format"
		done
		for c in "$B"/kwsd "$B"/kwsd-*; do
			c=${c##*/}
			complete $shell "$c" "$c -" > "$T/all"
			for o in $(options_of "$c"); do grep -q -x -F -e "$o" "$T/all" || fail "$shell: $c: no $o"; done
		done
		offered $shell kws "kws spot --threshold y" yes=
		offered $shell kws "kws spot -m jarvis=a.st -m x/commands.st --after " commands=
		offered $shell kws "kws spot -m jarvis=a.st -m x/commands.st --within " jarvis=
		offered $shell kws "kws listen -d " default
		offered $shell kws "kws ctl rel" reload
		offered $shell kws "kws ctl subscribe sc" scores
		offered $shell kwsd "kwsd -o audio.rate" audio.rate_hz=
		offered $shell kwsd "kwsd -l " debug
	done
}

# Memory that runs out is never success with another output, and is never silent. Before it has heard, a library may abort.
test_out_of_memory() { # at most 180 s
	local n from step i once status
	command -v "${CC:-cc}" > /dev/null || skip "no compiler"
	grep -q __asan_init "$KWS" && skip "the sanitizer has a malloc of its own"
	"${CC:-cc}" -shared -fPIC -O1 -o "$T/nomem.so" tests/system/nomem.c -ldl 2> "$T/err" || skip "the compiler makes no library"
	need sox
	sox -D "$AUDIO" -r 16000 -c 1 -b 16 "$T/said.wav" trim 0 4
	printf '1.07\t1.5\tyes\n2.6\t2.9\tleft\n' > "$T/said.tsv"
	printf 'said.wav\tyes\nsaid.wav\tYes\n' > "$T/list.tsv"
	while read -r command; do
		# shellcheck disable=SC2086
		run() { (cd "$T" && KWS_MODEL=$MODEL LD_PRELOAD=$T/nomem.so "$KWS" $command) > "$T/out" 2> "$T/err"; }
		KWS_FAIL_COUNT=$T/count run || fail "$command: status $?"
		mv "$T/out" "$T/want"
		n=$(cat "$T/count")
		[ "$n" -gt 100 ] || fail "$command: $n allocations: they are not counted"
		# the last ones are kws's own
		from=$((n > 400 ? n - 400 : 1)) step=17
		for once in '' 1; do
			for i in $(seq $from $step "$n") $(seq $((n - 30)) "$n"); do
				[ -n "$once" ] && export KWS_FAIL_ONCE=1 || unset KWS_FAIL_ONCE
				KWS_FAIL_AT=$i run
				status=$?
				[ $status = 0 ] && { cmp -s "$T/out" "$T/want" || fail "$command: success without allocation $i (of $n)$once"; continue; }
				[ -s "$T/err" ] || fail "$command: status $status without allocation $i (of $n)$once, and not a word"
			done
		done
	done <<-X
		calibrate -j 1 --target 1e5 --format jsonl said.wav
		calibrate -j 1 --target 1e5 said.wav
		eval -j 1 said.wav
		classify -j 1 -q --format jsonl --manifest list.tsv
		model --format jsonl
	X
}

# What cannot be put out whole is no success, help included.
test_full_output() { # at most 30 s
	for c in help "help spot" "spot --help" "spot --usage" "eval --help" --version model; do
		# shellcheck disable=SC2086
		"$KWS" $c > /dev/full 2> "$T/err"
		[ $? = 1 ] && logged "standard output: No space left" || fail "$c: $(cat "$T/err")"
		# shellcheck disable=SC2086
		"$KWS" $c > "$T/out" 2> "$T/err" && [ -s "$T/out" ] && [ ! -s "$T/err" ] || fail "$c"
	done
	"$KWS" spot --nope > "$T/out" 2> "$T/err"
	[ $? = 2 ] || fail "not status 2"
}

# Lists that measure nothing, or another recording, are told of.
test_lists_that_do_not_fit() { # at most 60 s
	need sox
	short 16000 wav "$T/a.wav"
	for text in '' '# nothing yet\n' 'path\tword\n'; do
		printf "$text" > "$T/list.tsv"
		"$KWS" classify -m "$MODEL" -q --manifest "$T/list.tsv" > "$T/out" 2> "$T/err" && fail "an empty list measures"
		logged "list.tsv: no recordings in this list" || fail "said: $(cat "$T/err")"
	done
	printf '100\t900\tyes\n0.1\t0.9\tno\n2000\t2500\tleft\n' > "$T/a.tsv"
	"$KWS" eval -m "$MODEL" "$T/a.wav" > "$T/out" 2> "$T/err" || fail "status $?"
	logged "a.tsv:1: 2 words begin after the end of the recording, which is [0-9.]* s long; times are in seconds" || fail "said: $(cat "$T/err")"
	printf '0.1\t0.9\tno\n' > "$T/a.tsv"
	"$KWS" eval -m "$MODEL" "$T/a.wav" > "$T/out" 2> "$T/err" && [ ! -s "$T/err" ] || fail "said: $(cat "$T/err")"
	ln -sf gone "$T/a.tsv"
	"$KWS" eval -m "$MODEL" "$T/a.wav" > "$T/out" 2> "$T/err" && fail "a truth file that is gone"
	logged "a.tsv: No such file" || fail "said: $(cat "$T/err")"
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
	"$KWS" doctor -m "$MODEL" -d "raw:$T/loud.raw" --format jsonl > "$T/out" 2> "$T/err" || fail "jsonl: status $?"
	grep -q '^{"verdict":"odd","what":"clipped.*"paste":\["alsamixer' "$T/out" || fail "jsonl: $(cat "$T/out")"
	pulse_start
	"$KWS" doctor -m "$MODEL" -d kws16 -s 1 > "$T/out" 2> "$T/err"
	[ $? = 1 ] && grep -q "^BAD  digital silence" "$T/out" || fail "a silent monitor: $(cat "$T/out")"
}

# finds TEXT [TEXT]: a BAD line with it, and a line to paste
finds() {
	"$KWS" doctor -c "$T/kwsd.conf" -s 1 > "$T/out" 2> "$T/err"
	[ $? = 1 ] || fail "$1: status: $(cat "$T/out")"
	grep -q -e "^BAD  .*$1" "$T/out" || fail "$1: $(cat "$T/out")"
	[ -z "${2:-}" ] || grep -q -e "^        .*$2" "$T/out" || fail "$1: no '$2' to paste: $(cat "$T/out")"
}
test_doctor_of_the_daemon() { # at most 60 s
	need sox
	sound fine whitenoise vol 0.1
	conf() { printf '[audio]\ndevice = raw:%s\n[model]\npath = %s\n%b' "$T/fine.raw" "$MODEL" "$1" > "$T/kwsd.conf"; }
	# the configuration: its microphone is the one that is heard
	conf '[audio]\nrate_hz = 48000\n'
	"$KWS" doctor -c "$T/kwsd.conf" -s 1 > "$T/out" 2> "$T/err" || fail "fine: status $?: $(cat "$T/out")"
	grep -q '^ok   kwsd accepts its configuration' "$T/out" && grep -q '^ok   open at 48000 Hz' "$T/out" || fail "$(cat "$T/out")"
	conf '[decision]\nthreshold = 1.7\n'
	finds 'kwsd.conf:.*1.7' 'sudoedit .*kwsd.conf'
	"$KWS" doctor -m "$MODEL" -c "$T/nothing" -d "raw:$T/fine.raw" -s 1 > "$T/out" 2> "$T/err" && fail "no file: success"
	# the hook
	conf "[hook]\ncommand = $T/hook.sh\n"
	finds "hook $T/hook.sh: No such file" 'sudo install'
	printf 'cat\n' > "$T/hook.sh"
	finds 'others may not execute it' 'sudo chmod 755'
	chmod 755 "$T/hook.sh" "$T"
	finds 'a script without #!' "1i #!/bin/sh"
	printf '#!/bin/sh\r\ncat\r\n' > "$T/hook.sh"
	finds 'its lines end in CR LF' "s/.r\$//"
	printf '#!/usr/bin/nosuchshell\n' > "$T/hook.sh"
	finds 'its interpreter /usr/bin/nosuchshell' '#!/bin/sh'
	printf '#!/bin/sh\ncat\n' > "$T/hook.sh"
	"$KWS" doctor -c "$T/kwsd.conf" -s 1 > "$T/out" 2> "$T/err" || fail "a good hook: $(cat "$T/out")"
	grep -q "^ok   hook $T/hook.sh" "$T/out" || fail "a good hook: $(cat "$T/out")"
	# what is pasted mends it, also where the name has blanks
	mkdir "$T/my hooks"; printf '#!/bin/sh\r\ncat\r\n' > "$T/my hooks/it.sh"; chmod 755 "$T/my hooks/it.sh"
	conf "[hook]\ncommand = \"$T/my hooks/it.sh\" x\n"
	finds 'CR LF'
	sh -c "$(sed -n 's/^        sudo \(sed .*\)/\1/p' "$T/out")"
	grep -q "$(printf '\r')" "$T/my hooks/it.sh" && fail "the line to paste does not mend it"
	# each of several, and the first of several microphones
	conf "[hook a]\ncommand = $T/hook.sh\n[hook b]\ncommand = $T/none.sh\n"
	finds "hook $T/none.sh: No such file"
	grep -q "^ok   hook $T/hook.sh" "$T/out" || fail "the first of two hooks: $(cat "$T/out")"
	cp "$T/fine.raw" "$T/a ;b.raw"
	printf '[audio kitchen]\ndevice = "raw:%s"\nrate_hz = 48000\n[audio attic]\ndevice = raw:/none\n[model]\npath = %s\n' \
		"$T/a ;b.raw" "$MODEL" > "$T/kwsd.conf"
	"$KWS" doctor -c "$T/kwsd.conf" -s 1 > "$T/out" 2> "$T/err" || fail "two microphones: status $?: $(cat "$T/out")"
	grep -q '^ok   open at 48000 Hz' "$T/out" || fail "two microphones: $(cat "$T/out")"
	# the event socket: none, another thing, nobody behind it, a daemon
	conf "[socket]\npath = $T/events\n"
	"$KWS" doctor -c "$T/kwsd.conf" -s 1 > "$T/out" 2> "$T/err" || fail "no socket: status: $(cat "$T/out")"
	grep -q "^odd  event socket $T/events: No such file" "$T/out" || fail "no socket: $(cat "$T/out")"
	: > "$T/events"
	finds 'it is not a socket' "sudo mv $T/events"
	rm "$T/events"
	kwsd_start -d "raw:$T/pipe" -o "socket.path=$T/events"
	await 5 test -S "$T/events" || fail "no socket of kwsd"
	"$KWS" doctor -c "$T/kwsd.conf" -s 1 > "$T/out" 2> "$T/err" || fail "socket: status: $(cat "$T/out")"
	grep -q "^ok   event socket $T/events: it connects (mode 06" "$T/out" || fail "socket: $(cat "$T/out")"
	kill -KILL "$P"; wait "$P" 2> /dev/null
	finds "event socket $T/events: Connection refused" 'sudo systemctl restart kwsd'
}
