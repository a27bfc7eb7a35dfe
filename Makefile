# kwsd - build, test, install. `make help` lists the targets.
CC      ?= cc
CFLAGS  ?= -O2 -g
PREFIX  ?= /usr/local
DESTDIR ?=
GOLDEN  ?= tests/golden

B := build
ARCH := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))

# libraries, by the folder that may use them
PKGS_dsp    := fftw3f samplerate
PKGS_model  := openblas jansson nettle
PKGS_audio  := sndfile portaudio-2.0
PKGS_daemon := libsystemd inih
PKGS_KWS    := $(PKGS_dsp) $(PKGS_model) $(PKGS_audio)
PKGS_KWSD   := $(PKGS_KWS) $(PKGS_daemon)
PKGS_ALL    := $(PKGS_KWSD) cmocka

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes \
        -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wvla -Wundef
OURS := -std=c11 -D_POSIX_C_SOURCE=200809L -fstack-protector-strong $(WARN) -I. -Iinclude -MMD -MP \
        $(shell pkg-config --cflags $(PKGS_ALL) 2>/dev/null)

objects = $(patsubst %.c,$(B)/%.o,$(1))
LIB_SRC := include/kws.c $(filter-out vec/vec.c vec/choose%.c,$(wildcard vec/*.c)) $(wildcard dsp/*.c model/*.c spot/*.c)
LIB_OBJ := $(call objects,$(LIB_SRC)) $(B)/vec/vec_baseline.o
ifeq ($(ARCH),x86_64)
LIB_OBJ += $(B)/vec/vec_v3.o $(B)/vec/vec_v4.o $(B)/vec/choose_x86.o
else
LIB_OBJ += $(B)/vec/choose.o
endif
AUDIO_OBJ  := $(call objects,$(wildcard audio/*.c))

all: $(B)/golden

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(OURS) $(CFLAGS) -c -o $@ $<

vec = $(CC) $(OURS) $(CFLAGS) -O3 -ffp-contract=fast $(1) -DKWS_VEC_TABLE=kws_vec_$(2) -DKWS_VEC_NAME='"$(3)"' \
      -DKWS_VEC_BYTES=$(4) -c -o $@ $<
$(B)/vec/vec_baseline.o: vec/vec.c
	@mkdir -p $(@D)
	$(call vec,,baseline,baseline,16)
$(B)/vec/vec_v3.o: vec/vec.c
	@mkdir -p $(@D)
	$(call vec,-march=x86-64-v3,v3,x86-64-v3,32)
$(B)/vec/vec_v4.o: vec/vec.c
	@mkdir -p $(@D)
	$(call vec,-march=x86-64-v4,v4,x86-64-v4,64)

$(B)/libkws.a: $(LIB_OBJ)
	$(AR) rcs $@ $^

$(B)/golden: $(B)/tests/golden.o $(B)/libkws.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKGS_dsp) $(PKGS_model)) -lm

golden: $(B)/golden
	$(B)/golden $(GOLDEN)

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all golden clean
