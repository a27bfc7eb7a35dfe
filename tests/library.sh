#!/bin/sh
# libkws as another program meets it: library.sh BUILD. Installed into a folder, its names compared with the header's, the
# examples built by pkg-config alone and their words compared with those of kws.
set -u
B=$(cd "${1:?build folder}" && pwd)
MODEL=config/models/commands-12.safetensors OTHER=config/models/fastformer-12.safetensors AUDIO=tests/data/demo.flac
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
fail() { echo "library: $*"; exit 1; }
same() { cmp -s "$1" "$2" || { diff "$1" "$2"; fail "$3"; }; }

# ---- names: the header's, the version script's, those of both libraries
sed -n '/KWS_API/,/;/p' include/kws/kws.h | tr '\n' ' ' | sed 's/KWS_API/\n/g' | sed -n 's/^[^(]*\(kws_[a-z_]*\)(.*/\1/p' | sort >"$T/header"
[ "$(wc -l <"$T/header")" -ge 30 ] || fail "the header's names cannot be read"
sed -n 's/^\t\(kws_[a-z_]*\);$/\1/p' include/libkws.map | sort >"$T/map"
nm -D --defined-only "$B/libkws.so.0" | sed -n 's/.* T \([^@]*\).*/\1/p' | sort >"$T/shared"
nm -g --defined-only "$B/libkws.a" | sed -n 's/.* [A-Z] //p' | sort >"$T/static"
same "$T/header" "$T/map" 'include/libkws.map has other names than the header'
same "$T/header" "$T/shared" 'libkws.so.0 shows other names than the header'
same "$T/header" "$T/static" 'libkws.a shows other names than the header'
readelf -dW "$B/libkws.so.0" | grep -q 'SONAME.*libkws.so.0' || fail 'soname'
# what a library may not do to its process: print, end it, read a clock, change its signals, environment or locale
nm -D --undefined-only "$B/libkws.so.0" | sed 's/.* U //; s/@.*//' |
	grep -xE 'printf|__printf_chk|puts|putchar|fprintf|__fprintf_chk|fputs|perror|exit|_exit|abort|time|clock|clock_gettime|gettimeofday|signal|sigaction|setenv|putenv|setlocale|fork|system' &&
	fail 'libkws.so.0 uses the above'

sh tests/abi.sh --check || fail 'binary interface'

# ---- as it is installed
make -s install DESTDIR="$T/root" PREFIX=/usr/local B="$B" >"$T/log" 2>&1 || { cat "$T/log"; fail 'make install'; }
export PKG_CONFIG_PATH="$T/root/usr/local/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$T/root" LD_LIBRARY_PATH="$T/root/usr/local/lib"
strict='-O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
example() { # NAME SOURCE COMPILER PACKAGES
	# shellcheck disable=SC2046,SC2086
	${3} $strict -o "$T/$1" "examples/$2" $(pkg-config --cflags --libs $4) 2>"$T/log" || { cat "$T/log"; fail "examples/$2"; }
}
example classify classify.cpp 'c++ -std=c++17' kws
example hundred_streams hundred_streams.c 'cc -std=c11' kws
example voice_control voice_control.c 'cc -std=c11' kws
for one in 'spot_file sndfile' 'microphone portaudio-2.0'; do
	# shellcheck disable=SC2086
	set -- $one
	others=$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --cflags --libs "$2")
	# shellcheck disable=SC2046,SC2086
	cc -std=c11 $strict -o "$T/$1" "examples/$1.c" $(pkg-config --cflags --libs kws) $others 2>"$T/log" || { cat "$T/log"; fail "examples/$1.c"; }
done

# ---- the same words as kws
"$B/kws" spot -m $MODEL --format csv $AUDIO | awk -F, 'NR > 1 {print $3 "," $4 "," $2 "," $6}' >"$T/want"
[ "$(wc -l <"$T/want")" -ge 5 ] || fail 'kws spot finds too little'
"$T/spot_file" $MODEL $AUDIO >"$T/got" || fail 'spot_file'
same "$T/want" "$T/got" 'spot_file hears other words than kws spot'

# ---- a hundred streams, linked with the static library
decode() { # the recording as 32-bit floats, without sox
	cat >"$T/decode.c" <<-X
	#include <sndfile.h>
	#include <stdio.h>
	int main(int c, char **v) { float x[4096]; SF_INFO i = { 0 }; SNDFILE *f = sf_open(v[1], SFM_READ, &i); sf_count_t n;
	(void)c; while ((n = sf_read_float(f, x, 4096)) > 0) fwrite(x, sizeof *x, (size_t)n, stdout); return sf_close(f); }
	X
	# shellcheck disable=SC2046
	cc -o "$T/decode" "$T/decode.c" $(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --cflags --libs sndfile) && "$T/decode" "$1"
}
decode $AUDIO >"$T/audio.raw" || fail 'decode'
others=$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --libs fftw3f samplerate jansson nettle)
# shellcheck disable=SC2046,SC2086
cc -std=c11 $strict -o "$T/static_streams" examples/hundred_streams.c $(pkg-config --cflags kws) "$T/root/usr/local/lib/libkws.a" $others -lm -pthread 2>"$T/log" ||
	{ cat "$T/log"; fail 'the static library'; }
for program in hundred_streams static_streams; do
	"$T/$program" $MODEL "$T/audio.raw" | sort | uniq -c | awk '{print $1, $2}' >"$T/got"
	echo "100 $(wc -l <"$T/want")" >"$T/counts"
	same "$T/counts" "$T/got" "$program: not every stream hears what one alone hears"
done

# ---- two models, one of them after the other
"$T/voice_control" $MODEL $OTHER "$T/audio.raw" >"$T/got" || fail 'voice_control'
"$B/kws" spot -m wake=$MODEL -m commands=$OTHER --after commands=wake --format jsonl $AUDIO | sed "s|$AUDIO|$T/audio.raw|; s/-[0-9a-f]\{16\}-/-/g" >"$T/want"
sed -i 's/-[0-9a-f]\{16\}-/-/g' "$T/got" # the name of the file
grep -q '"after":' "$T/want" || fail 'kws spot finds nothing after a word'
same "$T/want" "$T/got" 'voice_control hears other words than kws spot'

# ---- a clip, in C++
head -c $((16000 * 4)) "$T/audio.raw" >"$T/clip.raw"
"$T/classify" $MODEL "$T/clip.raw" >"$T/got" || fail 'classify'
"$B/kws" classify -m $MODEL --encoding f32 --format csv - <"$T/clip.raw" >"$T/log" || fail 'kws classify'
word=$(cut -d' ' -f1 "$T/got")
grep -q ",$word," "$T/log" || { cat "$T/got" "$T/log"; fail 'classify says another word than kws classify'; }

if ! make -s uninstall DESTDIR="$T/root" PREFIX=/usr/local B="$B" >"$T/log" 2>&1 || [ -n "$(find "$T/root" ! -type d)" ]; then
	find "$T/root" ! -type d
	fail 'make uninstall leaves files'
fi
echo "library: $(wc -l <"$T/header") names, the same words as kws in C and C++, shared and static"
