#!/bin/sh
# How long files and functions may be, so that each is read at one sitting: no file over 450 lines, no function over 60, 99
# of 100 not over 40. A function is counted from its opening brace to its closing one, both and the lines between them; they
# stand at the beginning of a line, as .clang-format has it, or `name() {` does in a script.
set -u
most_file=450 most_function=60 most_of_99=40
status=0
list=$(mktemp) || exit 1
trap 'rm -f "$list"' EXIT
if ! git ls-files >"$list" 2>/dev/null; then
	echo 'limits: no git checkout, skipped'
	exit 0
fi
scripts=$(xargs -a "$list" grep -lsIE '^#!.*(sh|python3?)$')
sources=$(grep -E '\.([chs]|cpp|sh|py)$' "$list")

# shellcheck disable=SC2086
for file in $(printf '%s\n' $sources $scripts | sort -u); do
	[ -f "$file" ] || continue
	n=$(wc -l <"$file")
	[ "$n" -le $most_file ] && continue
	echo "limits: $file: $n lines, more than $most_file: cut it by what it does"
	status=1
done

# lines, file:line, name; the longest first
functions() {
	printf '%s\n' "$@" | sort -u | grep -v '\.py$' | xargs awk '
	FNR == 1 { open = 0 }
	/^\{$/ { open = FNR; name = before }
	/^[a-z_0-9]*\(\) \{/ && !/\}$/ { open = FNR; name = $1 }
	/^\}/ && open { print FNR - open + 1, FILENAME ":" open ": " name; open = 0 }
	{ before = $0 }' | sort -rn
}
# shellcheck disable=SC2086
functions $sources $scripts >"$list"
awk -v most=$most_function '$1 > most { print "limits: " substr($0, length($1) + 2) ": " $1 " lines, more than " most; bad = 1 }
	END { exit bad }' "$list" || status=1
n=$(wc -l <"$list")
at=$((n / 100 + 1))
p99=$(sed -n "${at}s/ .*//p" "$list")
echo "limits: $n functions, 99 of 100 not over $p99 lines, the longest $(sed -n '1s/ .*//p' "$list")"
if [ "$p99" -gt $most_of_99 ]; then
	echo "limits: more than one in a hundred is over $most_of_99 lines; the longest:"
	head -n "$at" "$list"
	status=1
fi
exit $status
