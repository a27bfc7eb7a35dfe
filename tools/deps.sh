#!/bin/sh
# Install what this machine lacks, with apt; says what and why. deps.sh [--list] [GROUP...]
#   build      compiler and libraries: what `make` needs      tests  what `make check` needs beside them
#   libraries  of `build`, those that a program is linked with: what a cross build needs for the other architecture
#   parts      real sound servers, systemd and tools for the system tests, which skip without them
#   packages   what the Debian packages are built with, beside `build`
#   peers      what `make bench` compares with
#   lanes      compilers, checkers and interpreters of CI's other lanes
# Without a GROUP: build and tests. --list prints the names.
set -eu
PACKAGES='
build      gcc                  compiler
build      make                 builds
build      pkgconf              finds the libraries
libraries  libc6-dev            C library
libraries  libfftw3-dev         FFT
libraries  libsamplerate0-dev   resampling
libraries  libjansson-dev       JSON
libraries  libcairo2-dev        pictures
libraries  nettle-dev           SHA-256 of a model
libraries  libsndfile1-dev      audio files
libraries  libflac-dev          FLAC
libraries  libogg-dev           Ogg
libraries  libmpg123-dev        MP3
libraries  portaudio19-dev      microphone
libraries  libsystemd-dev       service notification and journal
libraries  libinih-dev          configuration file
libraries  libmosquitto-dev     kwsd-mqtt: connection to a broker
libraries  libmicrohttpd-dev    web page and metrics
tests      libcmocka-dev        unit tests
tests      binutils             reads the built programs
tests      g++                  builds the C++ example
tests      python3-cairocffi    draws the pictures of the pages
parts      pulseaudio           a sound server to listen to
parts      pulseaudio-utils     plays to it
parts      libasound2-plugins   ALSA devices of the sound server
parts      jackd2               a second sound server
parts      systemd-container    boots the units in a container
parts      dbus                 the message bus in that container
parts      procps               looks at processes
parts      sox                  makes audio
parts      socat                reads the event socket
parts      mosquitto            an MQTT broker
parts      mosquitto-clients    talk to it
parts      openssl              makes its certificates
parts      curl                 asks the web page as a program
parts      prometheus           judges metrics and alert rules (promtool)
parts      chromium             opens the web page as a user
parts      parallel             runs the shards of a corpus
parts      slurm-wlm            the same, as a cluster does
parts      munge                keeps the keys of that cluster
parts      jq                   reads the lines of kws ctl in a script
parts      python3-websockets   plays the assistant that a word starts
parts      zsh                  asks its completion
parts      fish                 asks its completion
packages   debhelper            builds the packages
packages   dh-python            packages the binding
packages   pybuild-plugin-pyproject  the same
packages   python3-cffi         builds the binding
packages   python3-dev          the same
packages   python3-setuptools   the same
packages   lintian              judges the packages
packages   debootstrap          bare roots to install them in
packages   apt-utils            a repository of them
packages   iproute2             the loopback of a root without a network
peers      pocketsphinx-en-us   its models
peers      libpocketsphinx-dev  a spotter to compare with
peers      libsphinxbase-dev    its other half
peers      python3-venv         those that are of Python
lanes      git                  names the files to look at
lanes      clang                second compiler, and fuzzers
lanes      libclang-rt-dev      sanitizers and fuzzers of clang
lanes      clang-tidy           linter
lanes      clang-tools          scan-build
lanes      cppcheck             linter
lanes      shellcheck           linter of the scripts
lanes      valgrind             memory errors
lanes      abigail-tools        the binary interface of libkws
lanes      gcovr                what no test sees
lanes      mkdocs               makes a site of the pages
lanes      mandoc               and of the manuals
lanes      python3-venv         training side, and its linters
lanes      python3-dev          builds libkws for Python
'
list=
if [ "${1:-}" = --list ]; then
	list=yes
	shift
fi
[ $# -gt 0 ] || set -- build tests
groups=' '
for group; do
	case $group in
	build) groups="${groups}build libraries " ;;
	libraries | tests | parts | packages | peers | lanes) groups="$groups$group " ;;
	*) echo "deps: $group: no such group; there are build, libraries, tests, parts, packages, peers, lanes" >&2; exit 2 ;;
	esac
done
wanted() { echo "$PACKAGES" | awk -v groups="$groups" 'NF && index(groups, " " $1 " ")'; }
if [ -n "$list" ]; then
	wanted | awk '{print $2}'
	exit 0
fi
missing=$(wanted | while read -r _ package why; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
	echo "missing: $package ($why)" >&2
	printf ' %s' "$package"
done)
[ -n "$missing" ] || exit 0
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
apt() { $SUDO env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing
