#!/bin/sh
# The binary interface of libkws, as text: abi.sh prints it, --write keeps it in tests/abi.txt, --check compares the two. --check-built
# does so for the library in KWS_BUILD, with abigail-tools: tests/libkws.abi.
# From kws/kws.h as the compiler sees it: prototypes, callbacks, the values of enums, the size of each struct and where its
# members lie. tests/library.sh holds the libraries' names to the header's.
set -u
cd "$(dirname "$0")/.." || exit 1
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT

# one declaration a line, without what only compilers want
${CC:-cc} -E -Iinclude include/kws/kws.h |
	awk '/^# [0-9]+ "/ { ours = $3 ~ /include\/kws\/kws\.h"$/; next } ours' >"$T/header"
[ -s "$T/header" ] || exit 1
tr -s ' \t\n' '   ' <"$T/header" | sed 's/__attribute__((visibility("default"))) *//g; s/_Bool/bool/g; s/\* /*/g' |
	awk '{
		n = length($0)
		for (i = 1; i <= n; i++) {
			c = substr($0, i, 1)
			line = line c
			depth += (c == "{") - (c == "}")
			if (c == ";" && depth == 0) { sub(/^ +/, "", line); print line; line = "" }
		}
	}' >"$T/declarations"

grep '(' "$T/declarations" | grep -v '{' | sed 's/( /(/g; s/ ;$/;/' | sort >"$T/functions"
{
	echo '#include "kws/kws.h"'
	echo '#include <stdio.h>'
	echo 'int main(void) {'
	# structs: each declaration of a member, which may name several
	sed -n 's/^typedef struct { \(.*\) } \([a-z_]*\);$/\2|\1/p' "$T/declarations" | awk -F'|' '{
		printf "printf(\"%s: %%zu bytes\\n\", sizeof(%s));\n", $1, $1
		n = split($2, member, ";")
		for (i = 1; i < n; i++) {
			m = split(member[i], name, ",")
			type = name[1]
			sub(/^ +/, "", type)
			sub(/[a-z_]+(\[.*)?$/, "", type)
			sub(/ +$/, "", type)
			for (j = 1; j <= m; j++) {
				one = name[j]
				sub(/\[.*/, "", one)
				gsub(/^.*[ *]/, "", one)
				printf "printf(\"  %s at %%zu, %%zu bytes, %s\\n\", offsetof(%s, %s), sizeof(((%s *)0)->%s));\n", one, type, $1, one, $1, one
			}
		}
	}'
	# enums
	sed -n 's/^enum \([a-z_]* \)*{ \(.*\) };$/\2/p' "$T/declarations" | tr ',' '\n' | sed 's/=.*//; s/ //g' | awk 'NF {
		printf "printf(\"%s = %%d\\n\", (int)%s);\n", $1, $1
	}'
	echo 'return 0; }'
} >"$T/layout.c"
${CC:-cc} -Iinclude -o "$T/layout" "$T/layout.c" && "$T/layout" >"$T/layout.txt" || exit 1
{
	cat "$T/functions"
	echo
	cat "$T/layout.txt"
} >"$T/abi"

describe() { # LIBRARY: the same of the built library, as libabigail has it
	abidw --header-file include/kws/kws.h --drop-private-types --no-show-locs --no-comp-dir-path --no-corpus-path \
		--type-id-style hash --no-elf-needed --exported-interfaces-only "$1"
}
advise() {
	cat <<-X
	abi: the binary interface of libkws is another one than $1 has.
	     Programs that are built must go on as they are: nothing that is there changes or goes, new members of a struct
	     come at its end, new functions in a version of their own in include/libkws.map. What cannot be done so needs
	     another soname. Where it was meant: sh tests/abi.sh --write, and commit what it writes with the change.
	X
	exit 1
}
library=${KWS_BUILD:-build}/libkws.so.0
case ${1:-} in
--write)
	cp "$T/abi" tests/abi.txt
	command -v abidw >/dev/null || { echo 'abi: tests/libkws.abi stays: abigail-tools are not installed'; exit 0; }
	describe "$library" >"$T/libkws.abi" && cp "$T/libkws.abi" tests
	;;
--check)
	[ "$(getconf LONG_BIT)" = 64 ] || { echo 'abi: tests/abi.txt is for 64 bits, skipped'; exit 0; }
	diff -u tests/abi.txt "$T/abi" || advise tests/abi.txt
	;;
--check-built)
	command -v abidiff >/dev/null || { echo 'abi: abigail-tools are not installed, skipped'; exit 0; }
	[ "$(uname -m)" = x86_64 ] || { echo 'abi: tests/libkws.abi is of x86-64, skipped'; exit 0; }
	describe "$library" >"$T/libkws.abi" || exit 1
	abidiff tests/libkws.abi "$T/libkws.abi" || advise tests/libkws.abi
	;;
*) cat "$T/abi" ;;
esac
