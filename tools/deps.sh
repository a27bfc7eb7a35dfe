#!/bin/sh
# Install what building and testing need and this machine lacks, with apt; says what and why. --list prints the names.
set -eu
PACKAGES="
gcc:compiler
make:builds
pkg-config:finds_the_libraries
libc6-dev:C_library
libfftw3-dev:FFT
libsamplerate0-dev:resampling
libjansson-dev:JSON
libpng-dev:pictures
nettle-dev:SHA-256_of_a_model
libsndfile1-dev:audio_files
portaudio19-dev:microphone
libsystemd-dev:service_notification_and_journal
libinih-dev:configuration_file
libcmocka-dev:tests
"
if [ "${1:-}" = --list ]; then
	echo "$PACKAGES" | sed -n 's/:.*//p'
	exit 0
fi
missing=
for p in $PACKAGES; do
	dpkg-query -W -f '${Status}' "${p%%:*}" 2>/dev/null | grep -q 'ok installed' && continue
	missing="$missing ${p%%:*}"
	echo "missing: ${p%%:*} ($(echo "${p#*:}" | tr _ ' '))"
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get here: install the packages above with your system's package manager" >&2
	exit 1
fi
SUDO=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "deps: run as root: apt-get install$missing" >&2; exit 1; }
	SUDO=sudo
	echo "deps: installing them with sudo apt-get"
fi
$SUDO env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086
$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
