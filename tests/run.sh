#!/bin/sh
# Run the tests of a build from the project's root: run.sh TEST... -- FUZZER... [-- seeds|golden|simulate|library|docs|hardening|system...]
#   KWS_BUILD  the build folder        KWS_WRAP  a command to run each under, e.g. valgrind
#   KWS_SIMULATE_HOURS  of the simulated world, 1
#   KWS_JOBS  so many tests and fuzzers at a time: as many as there are processors, at most 4
# Closes with `N passed, N failed, N skipped`, where a skip says its reason above.
set -u
B=${KWS_BUILD:?}
passed=0 failed=0 skipped=0 names=
jobs=${KWS_JOBS:-$(nproc)}
[ -n "${KWS_JOBS:-}" ] || [ "$jobs" -le 4 ] || jobs=4
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
log=$folder/log

verdict() { # NAME STATUS: 0 passed, 77 skipped
	case $2 in
	0) passed=$((passed + 1)); echo "ok    $1 $(summary)" ;;
	77) skipped=$((skipped + 1)); echo "skip  $1: $(tail -n 1 "$log")" ;;
	*) failed=$((failed + 1)); names="$names ${1%%,*}"; echo "FAIL  $1 (status $2)"; sed 's/^/      /' "$log" | tail -n 60 ;;
	esac
}
summary() { # what the runner of the test itself counted
	sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | awk '{n += $1} END {if (n) print "(" n " tests)"}'
	grep -h '^skip: ' "$log" || true
}

run() { # NAME COMMAND...
	name=$1
	shift
	"$@" >"$log" 2>&1
	verdict "$name" $?
}
# Run what is in the file $folder/list, a line each: NAME, a tab, COMMAND. Each has its own log, and its verdict stands here in turn.
run_list() {
	# shellcheck disable=SC2016
	xargs -r -P "$jobs" -d '\n' -n 1 sh -c '
		name=${1%%	*}
		sh -c "${1#*	}" >"$0/$name.log" 2>&1
		echo $? >"$0/$name.status.new"
		mv "$0/$name.status.new" "$0/$name.status"
	' "$folder" <"$folder/list" &
	while IFS='	' read -r name _; do
		while [ ! -e "$folder/$name.status" ]; do kill -0 $! 2>/dev/null || break; sleep 0.1; done
		log=$folder/$name.log
		verdict "$name" "$(cat "$folder/$name.status" 2>/dev/null || echo 'not run')"
	done <"$folder/list"
	wait $!
	log=$folder/log
}
seeds() {
	run "seeds, as code writes them" "$B/seeds" --check tests/fuzz/seeds
}
golden() {
	run "golden, some of the original's tensors" "$B/golden" tests/golden/original
	run "golden, an ill-conditioned stack" "$B/golden" tests/golden/ill
	# the others are not part of the project: what is not there is said, and not counted
	if [ -d ../shared/golden ]; then
		run "golden, all of the original's tensors" "$B/golden" ../shared/golden
	else
		echo "      golden, all of the original's tensors: not here (../shared/golden)"
	fi
}
simulate() { run "simulate, a daemon's life" "$B/simulate" 1 "${KWS_SIMULATE_HOURS:-1}"; }
library() { run "libkws as it is installed" sh tests/library.sh "$B"; }
docs() {
	if command -v python3 >/dev/null; then
		run "docs, the commands in the pages" python3 tests/docs.py
	else
		echo 'python3 is not installed' >"$log"
		verdict "docs, the commands in the pages" 77
	fi
}
hardening() { run "hardening of the programs" sh tests/hardening.sh "$B"; }
system() { # a runner of its own, whose counts are added to ours
	[ -x tests/system/run ] || return
	tests/system/run 2>&1 | tee "$log"
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
	# shellcheck disable=SC2086
	set -- ${counts:-0 1 0}
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
	[ "$2" = 0 ] || names="$names tests/system"
}

part=tests
: >"$folder/list"
for t; do
	case $part,$t in
	tests,--) part=fuzzers ;;
	tests,*) printf '%s\t%s %s\n' "$t" "${KWS_WRAP:-}" "$B/$t" >>"$folder/list" ;;
	fuzzers,--) part='more'; run_list ;;
	fuzzers,*) printf '%s, its seeds\t%s %s %s\n' "$t" "${KWS_WRAP:-}" "$B/$t" "tests/fuzz/seeds/$t" >>"$folder/list" ;;
	more,*) "$t" ;;
	esac
done
[ $part = more ] || run_list
[ -z "$names" ] || echo "failed:$names"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
