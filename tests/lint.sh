#!/bin/sh
# How long things are, one version everywhere, clang-tidy and cppcheck over the C, shellcheck over the scripts; the arguments are the compiler flags. Any finding fails.
set -u
status=0
sh tests/limits.sh || status=1
sh tests/version.sh || status=1
files=$(ls include/*.c vec/choose*.c dsp/*.c model/*.c spot/*.c audio/*.c corpus/*.c cli/*.c bench/ours.c bench/peer.c conf/*.c runtime/*.c daemon/*.c daemon/sink/*.c gateway/*.c gateway/*/*.c 2>/dev/null)
checks='-*,bugprone-*,-bugprone-sizeof-expression,-bugprone-implicit-widening-of-multiplication-result,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-assignment-in-if-condition,-bugprone-reserved-identifier,-bugprone-suspicious-include,clang-analyzer-*,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-optin.performance.Padding,-clang-analyzer-optin.portability.UnixAPI,-clang-analyzer-valist.Uninitialized,misc-redundant-expression,performance-*,-performance-no-int-to-ptr'
if command -v clang-tidy >/dev/null; then
	echo "$files" | xargs -P "$(nproc)" -I'{}' clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" '{}' -- "$@" || status=1
else
	echo 'lint: clang-tidy is not installed, skipped'
fi
if command -v cppcheck >/dev/null; then
	# shellcheck disable=SC2086
	# ctuuninitvar: takes a buffer that a function writes for one that it reads
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=ctuuninitvar --suppress=missingIncludeSystem --suppress=unknownMacro -I. -Iinclude $files || status=1
else
	echo 'lint: cppcheck is not installed, skipped'
fi
if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2046
	shellcheck -S warning $(grep -lsE '^#!.*sh$' .ci/* packaging/* debian/* debian/tests/* tests/* tests/system/* tools/* train/*) || status=1
	shellcheck -S warning -s bash tests/system/*.sh packaging/*.sh cli/*.bash-completion || status=1
else
	echo 'lint: shellcheck is not installed, skipped'
fi
[ $status = 0 ] && echo 'lint: no findings'
exit $status
