#!/bin/sh
# Run the tests of a build from the project's root: run.sh TEST... -- FUZZER...
#   KWS_BUILD  the build folder        KWS_WRAP  a command to run each under, e.g. valgrind
# Closes with `N passed, N failed, N skipped`, where a skip says its reason above.
set -u
B=${KWS_BUILD:?}
passed=0 failed=0 skipped=0 names=
fuzzers=
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

verdict() { # NAME STATUS: 0 passed, 77 skipped
	case $2 in
	0) passed=$((passed + 1)); echo "ok    $1 $(summary)" ;;
	77) skipped=$((skipped + 1)); echo "skip  $1: $(tail -n 1 "$log")" ;;
	*) failed=$((failed + 1)); names="$names $1"; echo "FAIL  $1 (status $2)"; sed 's/^/      /' "$log" | tail -n 60 ;;
	esac
}
summary() { # what the runner of the test itself counted
	sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | awk '{n += $1} END {if (n) print "(" n " tests)"}'
	grep -h '^skip: ' "$log" || true
}

for t; do
	if [ "$t" = -- ]; then
		fuzzers=yes
	elif [ -n "$fuzzers" ]; then
		${KWS_WRAP:-} "$B/$t" "tests/fuzz/seeds/$t" >"$log" 2>&1
		verdict "$t, its seeds" $?
	else
		${KWS_WRAP:-} "$B/$t" >"$log" 2>&1
		verdict "$t" $?
	fi
done
if [ -z "${KWS_WRAP:-}" ]; then
	"$B/golden" tests/golden/original >"$log" 2>&1
	verdict "golden, the original's tensors" $?
	if [ -d ../shared/golden ]; then
		"$B/golden" ../shared/golden >"$log" 2>&1
		verdict "golden, all of the original's tensors" $?
	else
		skipped=$((skipped + 1))
		echo "skip  golden, all of the original's tensors: no ../shared/golden here"
	fi
	if [ -x tests/system/run ]; then
		tests/system/run >"$log" 2>&1
		status=$?
		cat "$log"
		counted=$(sed -n 's/^\(system: \)\{0,1\}\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\2 \3 \4/p' "$log" | tail -n 1)
		if [ -n "$counted" ]; then
			# shellcheck disable=SC2086
			set -- $counted
			passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
			[ "$2" = 0 ] || names="$names tests/system"
		else
			verdict "tests/system" $((status ? status : 1))
		fi
	fi
fi
[ -z "$names" ] || echo "failed:$names"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
