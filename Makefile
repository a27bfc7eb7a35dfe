# kwsd - build, test, install. `make help` lists the targets.
CC      ?= cc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
DESTDIR ?=

PKGS_LIB    := fftw3f samplerate jansson nettle openblas
PKGS_AUDIO  := sndfile
PKGS_DEVICE := portaudio-2.0
PKGS_DAEMON := libsystemd inih
PKGS_TEST   := cmocka
PC           = pkg-config

B := build
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes \
        -Wcast-qual -Wformat=2 -Wvla -Wundef
OUR_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -D_FORTIFY_SOURCE=2 -fstack-protector-strong $(WARN) -I. -Iinclude -MMD -MP
