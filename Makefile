# kwsd - build, test, install. `make help` lists the targets.
CC      ?= cc
CFLAGS  ?= -O3 -g
PREFIX  ?= /usr/local
DESTDIR ?=
GOLDEN  ?= tests/golden/original
# what `make check` installs for the system tests; PARTS= installs nothing, and what is missing is skipped
PARTS   ?= parts

# What is built for another architecture than this machine's has a folder of its own, and the libraries of its :ARCH packages.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null || uname -m)
ARCH    := $(firstword $(subst -, ,$(MACHINE)))
NATIVE  := $(firstword $(subst -, ,$(shell cc -dumpmachine 2>/dev/null || uname -m)))
ifeq ($(ARCH),$(NATIVE))
B          ?= build
PKG_CONFIG ?= pkg-config
OBJCOPY    ?= objcopy
else
B          ?= build/$(ARCH)
TRIPLET    := $(subst -pc-,-,$(subst -unknown-,-,$(MACHINE)))
PKG_CONFIG ?= PKG_CONFIG_LIBDIR=$${PKG_CONFIG_LIBDIR:-/usr/lib/$(TRIPLET)/pkgconfig:/usr/share/pkgconfig} pkg-config
ifeq ($(origin AR),default)
AR         := $(TRIPLET)-ar
endif
OBJCOPY    ?= $(TRIPLET)-objcopy
endif

# Libraries, by the folder that may use them. `make layers` checks the #include lines.
PKGS_LIB   := fftw3f samplerate jansson nettle
PKGS_AUDIO := $(PKGS_LIB) sndfile flac ogg libmpg123 portaudio-2.0
PKGS_KWS   := $(PKGS_AUDIO) cairo
PKGS_KWSD  := $(PKGS_AUDIO) libsystemd inih
PKGS_RUN   := $(PKGS_LIB) libsystemd inih
PKGS_wyoming := $(PKGS_RUN)
PKGS_mqtt  := $(PKGS_RUN) libmosquitto
PKGS_web   := $(PKGS_RUN) libmicrohttpd
PKGS_ALL   := $(sort $(PKGS_KWSD) cairo $(foreach g,$(patsubst gateway/%/main.c,%,$(wildcard gateway/*/main.c)),$(PKGS_$g)))
PKGS_TEST  := $(PKGS_ALL) cmocka

SHARE := $(PREFIX)/share/kwsd
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion -Wstrict-prototypes \
        -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wvla -Wundef

# Hardening: what the compiler knows of it. What is not optimised cannot be fortified, sanitizers bring checks of their own.
accepted = $(if $(shell $(CC) -Werror -O2 $(1) -include errno.h -S -o /dev/null -x c /dev/null 2>/dev/null && echo yes),$(1))
HARDEN := -fPIE $(foreach flag,-fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard, \
        $(call accepted,$(flag)))
OPTIMISED := $(filter-out -O0,$(lastword -O0 $(filter -O%,$(CFLAGS))))
ifneq ($(OPTIMISED),)
ifeq ($(SANITIZE)$(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS)),)
HARDEN += $(or $(call accepted,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif
endif
HARDEN_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

OURS := -std=c11 -ffp-contract=off -D_POSIX_C_SOURCE=200809L -pthread $(HARDEN) $(WARN) -I. -Iinclude -MMD -MP \
        -DKWS_MODEL_PATH='"$(SHARE)/commands-12.safetensors"' $(SANITIZE) $(shell $(PKG_CONFIG) --cflags $(PKGS_ALL) 2>/dev/null)
link = $(CC) $(CFLAGS) $(SANITIZE) $(HARDEN_LINK) $(LDFLAGS) -pthread -o $@ $(1) $(shell $(PKG_CONFIG) --libs $(2)) -lm

# one short line a step; `make V=1` shows the commands
ifeq ($(V)$(findstring s,$(firstword -$(MAKEFLAGS))),)
step = @printf '  %-4s %s\n' $(1) '$(or $(2),$@)';
endif

objects = $(patsubst %.c,$(B)/%.o,$(1))
LIB_OBJ := $(call objects,$(wildcard include/*.c dsp/*.c model/*.c spot/*.c)) \
           $(addprefix $(B)/vec/,vec_baseline.o product_baseline.o int8_baseline.o)
ifeq ($(ARCH),x86_64)
LIB_OBJ += $(addprefix $(B)/vec/,vec_v3.o product_v3.o int8_v3.o int8_v3_vnni.o vec_v4.o product_v4.o int8_v4.o int8_v4_vnni.o choose_x86.o)
else ifeq ($(ARCH),aarch64)
LIB_OBJ += $(addprefix $(B)/vec/,int8_dotprod.o choose_arm64.o)
# gcc 12 loads ahead of the loop there, has too few registers then, and keeps sums in memory
$(B)/vec/product_baseline.o: OURS += $(call accepted,-fno-tree-pre)
$(B)/vec/vec_baseline.o: OURS += -DKWS_VEC_DOT=dotprod -DKWS_VEC_DOT_NAME='"dotprod"'
else
LIB_OBJ += $(B)/vec/choose.o
endif
ifneq ($(findstring --coverage,$(SANITIZE)),)
LIB_OBJ += $(B)/tests/coverage.o
endif
AUDIO_OBJ := $(call objects,$(wildcard audio/*.c))
CORPUS_OBJ := $(call objects,$(wildcard corpus/*.c))
KWS_OBJ   := $(call objects,$(wildcard cli/*.c))
# what kwsd and the gateways run on
RUN_OBJ   := $(call objects,$(wildcard conf/*.c runtime/*.c))
KWSD_OBJ  := $(call objects,$(wildcard daemon/*.c daemon/sink/*.c))
GATE_OBJ  := $(call objects,$(wildcard gateway/*.c))
GATEWAYS  := $(patsubst gateway/%/main.c,%,$(wildcard gateway/*/main.c))
GATES_OBJ := $(call objects,$(filter-out %/main.c,$(wildcard gateway/*/*.c)))
LIB       := $(B)/libkwscore.a
AUDIO     := $(B)/libkwsaudio.a
CLI       := $(B)/libkwscli.a
FAKE      := $(B)/libkwsfake.a
CORPUS    := $(B)/libkwscorpus.a
RUN       := $(B)/libkwsrun.a
GATE      := $(B)/libkwsgate.a

PROGRAMS := $(B)/kws $(B)/kwsd $(addprefix $(B)/kwsd-,$(GATEWAYS))
# what other programs link with: the names of kws/kws.h and no others
LIBRARY  := $(if $(SANITIZE),,$(B)/libkws.so.0 $(B)/libkws.a)
TESTS    := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(PROGRAMS) $(LIBRARY)

help:
	@echo 'make            build kws, kwsd and libkws in $(B)/; V=1 shows the commands; CC=aarch64-linux-gnu-gcc builds for arm64 in build/aarch64/'
	@echo 'make demo       install what is missing to build, build, find the words in the shipped recording'
	@echo 'make check      install what is missing to build and test, build, run all tests; PARTS= installs no sound servers or systemd'
	@echo 'make test-NAME  run the unit tests of tests/test_NAME.c; tests/system/run NAME those with real sound servers'
	@echo 'make golden GOLDEN=DIR   compare with the tensors of the original Mega code in DIR'
	@echo 'make bench      speed beside other spotters and engines, in docs/speed.md; make bench-peers installs these'
	@echo 'make install uninstall   below PREFIX=$(PREFIX), staged in DESTDIR'
	@echo 'make deps       install what is missing to build and test, with apt; tools/deps.sh --list names it'
	@echo 'make asan tsan valgrind  the same tests under the sanitizers and memcheck'
	@echo 'make fuzz FUZZER=fuzz_model SECONDS=60   run one fuzzer (clang)'
	@echo 'make nightly    run each fuzzer for an hour, or for SECONDS='
	@echo 'make seeds      write the seeds of the fuzzers anew, those that code writes'
	@echo 'make coverage   which lines no unit test runs (gcovr), in build/coverage/'
	@echo 'make mutate MUTATE="--sample 20 spot"   plant faults one by one, and see which the tests notice'
	@echo 'make simulate SEED=1 HOURS=24   days of a daemon in minutes, in a world where everything happens to it'
	@echo 'make lint layers format  lengths, clang-tidy, cppcheck, shellcheck; who may include whom; one hand'
	@echo 'make docs       run the commands in the pages; SLOW=yes: those that take long'
	@echo 'make site       the pages and manuals as a site in build/site (mkdocs, mandoc)'
	@echo 'make analyze    gcc -fanalyzer and scan-build'
	@echo 'make compile_commands.json   for editors'
	@echo 'make dist       the source archive'
	@echo 'make deb deb-check RELEASE=bookworm DEB_ARCH=amd64   Debian packages in a clean chroot, and what they do when installed (root)'
	@echo 'make deb-reproducible apt-repo KEY=ID   built twice and compared; a repository of apt, signed'
	@echo 'make clean'

# ---- compile ------------------------------------------------------------------------------------------------
# anew when the Makefile changes: its flags may have
$(B)/%.o: %.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(OURS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/libraries:
	@mkdir -p $(@D)
	@$(PKG_CONFIG) --print-errors --exists $(PKGS_ALL) || { echo '`make deps` installs what is missing, with apt'; exit 1; }
	@touch $@

# another PREFIX is another default model
$(B)/include/find_model.o $(B)/cli/args.o $(B)/cli/doctor.o: $(B)/share
$(B)/share: FORCE
	@mkdir -p $(@D); echo '$(SHARE)' | cmp -s - $@ || echo '$(SHARE)' >$@
FORCE:

# these are compiled once for each level of the processor, always optimised: their speed is the network's;
# gcc's analyzer takes a vector's bytes for its bits
FAST := -O3
level = $(call step,CC,$< for $(2))$(CC) $(OURS) $(CPPFLAGS) $(filter-out -fanalyzer,$(CFLAGS)) $(FAST) -DKWS_VEC_LEVEL=$(1) \
        -DKWS_VEC_NAME='"$(2)"' -DKWS_VEC_BYTES=$(3) $(4) -c -o $@ $<
# two levels in one, which differ in the products of integers
vnni = -DKWS_VEC_DOT=$(1)_vnni -DKWS_VEC_DOT_NAME='"$(2)-vnni"'
$(B)/vec/%_baseline.o: vec/%.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call level,baseline,baseline,16)
$(B)/vec/%_v3.o: vec/%.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call level,v3,x86-64-v3,32,-march=x86-64-v3 $(call vnni,v3,x86-64-v3))
$(B)/vec/%_v4.o: vec/%.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call level,v4,x86-64-v4,64,-march=x86-64-v4 $(call vnni,v4,x86-64-v4))
$(B)/vec/%_v3_vnni.o: vec/%.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call level,v3_vnni,x86-64-v3-vnni,32,-march=x86-64-v3 -mavxvnni)
$(B)/vec/%_v4_vnni.o: vec/%.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call level,v4_vnni,x86-64-v4-vnni,64,-march=x86-64-v4 -mavx512vnni)
$(B)/vec/%_dotprod.o: vec/%.c Makefile | $(B)/libraries
	@mkdir -p $(@D)
	$(call level,dotprod,dotprod,16,-march=armv8.2-a+dotprod)

$(LIB_OBJ): OURS += -fPIC -fvisibility=hidden
# anew: what was renamed would stay in an old one
archive = $(call step,AR)rm -f $@ && $(AR) rcs $@ $^
$(LIB): $(LIB_OBJ)
	$(archive)
$(B)/libkws.so.0: $(LIB_OBJ) include/libkws.map
	$(call step,LD)$(CC) $(CFLAGS) $(filter-out -pie,$(HARDEN_LINK)) -shared -Wl,-soname,libkws.so.0 -Wl,-z,defs \
		-Wl,--version-script=include/libkws.map $(LDFLAGS) -pthread -o $@ $(LIB_OBJ) $(shell $(PKG_CONFIG) --libs $(PKGS_LIB)) -lm
$(B)/libkws.a: $(LIB_OBJ)
	$(call step,AR)$(CC) $(CFLAGS) -nostdlib -r -o $(B)/libkws.o $(LIB_OBJ)
	@$(OBJCOPY) --localize-hidden $(B)/libkws.o
	@rm -f $@ && $(AR) rcs $@ $(B)/libkws.o
$(AUDIO): $(AUDIO_OBJ)
	$(archive)
$(CORPUS): $(CORPUS_OBJ)
	$(archive)
$(B)/gateway/web/page.o: gateway/web/page.html
$(RUN): $(RUN_OBJ)
	$(archive)
$(GATE): $(GATE_OBJ)
	$(archive)
$(CLI): $(filter-out %/main.o,$(KWS_OBJ))
	$(archive)
$(FAKE): $(call objects,$(wildcard tests/fake/*.c))
	$(call step,AR)$(AR) rcs $@ $^
$(B)/kws: $(B)/cli/main.o $(CLI) $(CORPUS) $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_KWS))
$(B)/kwsd: $(KWSD_OBJ) $(RUN) $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_KWSD))
define gateway
$(B)/kwsd-$(1): $(call objects,$(wildcard gateway/$(1)/*.c)) $(GATE) $(RUN) $(LIB)
	$$(call step,LD)$$(call link,$$^,$$(PKGS_$(1)))
endef
$(foreach g,$(GATEWAYS),$(eval $(call gateway,$g)))
$(B)/golden: $(call objects,$(wildcard tests/golden*.c)) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_LIB))
$(B)/lengths: $(B)/tests/lengths.o $(B)/cli/bench_parts.o $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_LIB))
$(B)/tests/%.o: OURS += $(shell $(PKG_CONFIG) --cflags cmocka 2>/dev/null)
$(B)/own_mounts $(B)/wyoming_crowd: $(B)/%: $(B)/tests/system/%.o
	$(call step,LD)$(CC) $(CFLAGS) $(SANITIZE) $(HARDEN_LINK) $(LDFLAGS) -o $@ $^
$(B)/microphones: $(B)/tests/system/microphones.o $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_AUDIO))
# a test links what it tests: everything but the two mains; of kws only what it names
$(B)/test_%: $(B)/tests/test_%.o $(filter-out %/main.o,$(KWSD_OBJ)) $(GATES_OBJ) $(GATE) $(RUN) $(FAKE) $(CLI) $(CORPUS) $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_TEST))
$(B)/simulate: $(call objects,$(wildcard tests/simulate/*.c)) $(filter-out %/main.o,$(KWSD_OBJ)) $(RUN) $(FAKE) $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_KWSD))
# without clang a fuzz target still replays its seeds
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(filter-out %/main.o,$(KWSD_OBJ)) $(GATES_OBJ) $(GATE) $(RUN) $(CLI) $(CORPUS) $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_TEST))
$(B)/seeds: $(B)/tests/fuzz/seeds.o $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_LIB))
.PRECIOUS: $(B)/%.o

# ---- test ---------------------------------------------------------------------------------------------------
golden: $(B)/golden
	$(B)/golden $(GOLDEN)

check:
	@sh tools/deps.sh build tests $(PARTS)
	+@$(MAKE) --no-print-directory check-built

# LEFT_OUT: tests that are neither built nor run
CHECKS := $(addprefix $(B)/,$(filter-out $(LEFT_OUT),$(TESTS)) $(FUZZERS)) $(B)/seeds $(B)/simulate
check-built: all $(B)/bench_ours $(B)/golden $(B)/lengths $(B)/own_mounts $(B)/microphones $(B)/wyoming_crowd $(CHECKS)
	@KWS_BUILD=$(B) sh tests/run.sh $(TESTS) -- $(FUZZERS) -- seeds golden simulate library docs $(if $(OPTIMISED),hardening) system

# the same without real services: what the sanitizers run
check-units: $(PROGRAMS) $(B)/golden $(CHECKS)
	@KWS_BUILD=$(B) KWS_SIMULATE_HOURS=0.3 sh tests/run.sh $(filter-out $(LEFT_OUT),$(TESTS)) -- $(FUZZERS) -- seeds golden simulate

test-%: $(B)/test_% $(PROGRAMS)
	KWS_BUILD=$(B) $<

asan:
	+LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 $(MAKE) check-units B=build/asan CFLAGS='-O1 -g' SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'
# those that start threads, as strace -f -e trace=clone,clone3 sees them
THREADS := test_capture test_check test_cli test_cli_classify test_cli_eval test_cli_listen test_cli_merge test_cli_models test_cli_pictures \
           test_cli_spot test_clips test_clips_lost test_corpus test_device test_ends test_ends_compressed test_hook test_journal test_kwsd \
           test_listener test_losses test_mel test_nomem test_queue test_ring test_service test_service_set test_setup test_signals test_sink \
           test_sinks test_source test_start test_tools test_wyoming_clients test_wyoming_hostile
tsan:
	+TSAN_OPTIONS=halt_on_error=1 $(MAKE) check-units LEFT_OUT='$(filter-out $(THREADS),$(TESTS))' B=build/tsan CFLAGS='-O1 -g' SANITIZE='-fsanitize=thread'
# without those that listen for minutes here, to the shipped models or at every rate and cut (test_ear): the sanitizers run
# them; without the engine, which refuses every model here as too slow; without hanging threads, whose stacks count as lost
# (test_service); without test_nomem, whose allocator valgrind takes the place of; and without test_pages, whose code does
# not run there, but valgrind's translation of it
MINUTES := test_shipped test_enrol test_ear test_fit test_hearing test_hearing_swap test_squelch test_wyoming_clients test_wyoming_hostile \
           test_wyoming_session test_wyoming_wake
valgrind: $(PROGRAMS) $(B)/golden $(CHECKS)
	@KWS_BUILD=$(B) KWS_WRAP='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions=tests/valgrind.supp' \
		sh tests/run.sh $(filter-out $(MINUTES) test_engine test_service test_nomem test_pages,$(TESTS)) -- $(FUZZERS)

FUZZER  ?= fuzz_model
SECONDS ?= 60
# clang takes many minutes for the unrolled tiles of vec/product.c with every check in them: gcc's sanitizers have those
fuzz:
	+$(MAKE) B=build/fuzz CC=clang CFLAGS='-O1 -g' FAST='-O1 -fno-sanitize=undefined' SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
		build/fuzz/$(FUZZER).libfuzzer
	mkdir -p build/fuzz/corpus/$(FUZZER)
	build/fuzz/$(FUZZER).libfuzzer -max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=10 -artifact_prefix=build/fuzz/$(FUZZER)- \
		$(addprefix -dict=,$(wildcard tests/fuzz/$(FUZZER).dict)) \
		build/fuzz/corpus/$(FUZZER) $(wildcard tests/fuzz/seeds/$(FUZZER))
$(B)/fuzz_%.libfuzzer: $(B)/tests/fuzz/fuzz_%.o $(filter-out %/main.o,$(KWSD_OBJ)) $(GATES_OBJ) $(GATE) $(RUN) $(CLI) $(CORPUS) $(AUDIO) $(LIB)
	$(call step,LD)clang -fsanitize=fuzzer,address,undefined $(LDFLAGS) -pthread -o $@ $^ $(shell $(PKG_CONFIG) --libs $(PKGS_ALL)) -lm
# all of them, an hour each unless SECONDS says otherwise; what one finds stops only that one
nightly: SECONDS := $(if $(filter file,$(origin SECONDS)),3600,$(SECONDS))
nightly:
	+@failed=; for fuzzer in $(FUZZERS); do \
		$(MAKE) --no-print-directory fuzz FUZZER=$$fuzzer SECONDS=$(SECONDS) || failed="$$failed $$fuzzer"; \
	done; [ -z "$$failed" ] || { echo "found something:$$failed; the inputs are build/fuzz/FUZZER-*"; exit 1; }

# what no test sees: a line count by file, and build/coverage/index.html; fails where less than 90 of 100 lines are run
COVERED := dsp model spot conf runtime daemon
coverage:
	@mkdir -p build/coverage; find build/coverage -name '*.gcda' -delete
	+$(MAKE) check-units B=build/coverage CFLAGS='-O1 -g' SANITIZE=--coverage LDFLAGS=-Wl,--wrap=_exit
	gcovr --root . --object-directory build/coverage --exclude tests/ --html-details build/coverage/index.html --txt --json build/coverage/lines.json
	@for folder in $(COVERED); do echo "$$folder/"; \
		gcovr --root . -a build/coverage/lines.json --filter "$$folder/" --print-summary --fail-under-line 90 -o build/coverage/folder.txt || exit 1; \
	done

# the seeds that code writes: after a change of the model format
seeds: $(B)/seeds
	$(B)/seeds tests/fuzz/seeds

# faults planted one by one, and whether the tests notice: docs/testing.md
mutate:
	tools/mutate $(MUTATE)

# the world of tests/simulate: docs/testing.md
SEED  ?= 1
HOURS ?= 24
simulate: $(B)/simulate
	$(B)/simulate $(SEED) $(HOURS)

layers:
	sh tests/layers.sh
lint:
	sh tests/lint.sh $(OURS)
# the commands in the pages, and all that they name; SLOW=yes: only those that take long
docs: $(PROGRAMS) $(LIBRARY)
	KWS_BUILD=$(B) python3 tests/docs.py $(if $(SLOW),--slow)
# the pages and the manuals as a site
site:
	python3 tools/site.py build/site-pages
	mkdocs build --quiet --strict
# Leaks are left to the sanitizer and to scan-build: gcc loses sight of what an object keeps. Anew each time: only what is
# compiled is analysed.
analyze:
	rm -rf $(B)/analyze
	+$(MAKE) B=$(B)/analyze/gcc CC=gcc CFLAGS='-O2 -g -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-fd-leak -Werror' all
	+scan-build --status-bugs -o $(B)/analyze/report $(MAKE) B=$(B)/analyze/clang CFLAGS='-O1 -g' all
# by the one version that CI checks with: others break lines elsewhere
format:
	clang-format -i $$(git ls-files '*.[ch]')

# ---- use ----------------------------------------------------------------------------------------------------
deps:
	@sh tools/deps.sh build tests $(PARTS)

demo:
	@sh tools/deps.sh build
	+@$(MAKE) --no-print-directory all
	$(B)/kws spot -m config/models/commands-12.safetensors tests/data/demo.flac

# for editors and analysers
compile_commands.json: FORCE
	@$(MAKE) --no-print-directory -nB V=1 all $(CHECKS) | sed -n 's/[\\"]/\\&/g; s|.* -c -o [^ ]* \([^ ]*\.c\)$$|{"directory": "$(CURDIR)", "file": "\1", "command": "&"}|p' | \
		sed '1s/^/[/; $$!s/$$/,/; $$s/$$/]/' >$@

# This machine, and other spotters and engines beside us by pairs, as far as they are installed. All of them write docs/speed.md.
PEERS        ?= build/peers
OPENWAKEWORD ?= $(wildcard ../shared/teacher)
BENCH_MODELS := commands-12-small-int8 commands-12-int8 commands-12
$(B)/bench_ours: $(call objects,bench/ours.c bench/peer.c) $(CLI) $(AUDIO) $(LIB)
	$(call step,LD)$(call link,$^,$(PKGS_KWS))
$(B)/bench_pocketsphinx: $(call objects,bench/pocketsphinx.c bench/peer.c)
	$(call step,LD)$(call link,$^,pocketsphinx)
$(B)/bench/pocketsphinx.o: OURS += -isystem /usr/include/sphinxbase $(shell $(PKG_CONFIG) --cflags pocketsphinx 2>/dev/null) \
        -DKWS_POCKETSPHINX='"$(shell $(PKG_CONFIG) --modversion pocketsphinx 2>/dev/null)"'
bench: $(B)/bench_ours $(if $(shell $(PKG_CONFIG) --exists pocketsphinx 2>/dev/null && echo yes),$(B)/bench_pocketsphinx)
	@mkdir -p $(B)/bench/data
	$(B)/bench_ours config/models/commands-12.safetensors $(B)/bench/data tests/data/demo.flac 12
	[ ! -x $(PEERS)/bin/python ] || for step in 'step 1' 'block 100'; do set -- $$step; PYTHONPATH=train $(PEERS)/bin/python -m kws_train onnx \
		--model config/models/commands-12.safetensors --frames $$2 --out $(B)/bench/data/$$1.onnx || exit 1; done
	python3 bench/compare.py $(foreach m,$(BENCH_MODELS),--ours '$m=$(B)/bench_ours config/models/$m.safetensors $(B)/bench/data') \
		--peer 'ONNX Runtime=$(PEERS)/bin/python bench/onnx_runtime.py $(B)/bench/data' \
		--peer 'openWakeWord=$(PEERS)/bin/python bench/open_wake_word.py $(B)/bench/data $(OPENWAKEWORD)' \
		--peer 'microWakeWord=$(PEERS)/bin/python bench/micro_wake_word.py $(B)/bench/data' \
		--peer 'PocketSphinx=$(B)/bench_pocketsphinx $(B)/bench/data' --write docs/speed.md
# into a folder of their own, and PocketSphinx from Debian
bench-peers:
	@sh tools/deps.sh peers
	python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install -q -r bench/requirements.txt

BIN     := $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCLUDE := $(PREFIX)/include
MAN     := $(PREFIX)/share/man
UNITS   ?= $(PREFIX)/lib/systemd/system
USER_UNITS := $(PREFIX)/lib/systemd/user
SYSCONF ?= /etc
# of all programs, in one file for each shell
BASH_COMP := $(PREFIX)/share/bash-completion/completions
ZSH_COMP  := $(PREFIX)/share/zsh/site-functions
FISH_COMP := $(PREFIX)/share/fish/vendor_completions.d

SERVICES   := kwsd $(addprefix kwsd-,$(GATEWAYS))
MAN_PAGES  := $(notdir $(wildcard docs/*.[1-8]))
UNIT_FILES := $(notdir $(wildcard systemd/*.service systemd/*.socket))

# what names a place, with the places of this installation
placed = sed 's|/usr/local/bin/kws|$(BIN)/kws|; s|/usr/local/share/kwsd|$(SHARE)|; s|/usr/local/lib/systemd/system|$(UNITS)|; s|/etc/kwsd/|$(SYSCONF)/kwsd/|' $(1)

# the configuration that is there stays: it is the user's
install: all
	install -d $(addprefix $(DESTDIR),$(BIN) $(LIBDIR)/pkgconfig $(INCLUDE)/kws $(MAN)/man1 $(MAN)/man3 $(MAN)/man5 $(MAN)/man8 $(UNITS) $(USER_UNITS) $(SHARE) $(BASH_COMP) $(ZSH_COMP) $(FISH_COMP) $(SYSCONF)/kwsd)
	install -m755 $(PROGRAMS) $(DESTDIR)$(BIN)
	install -m644 $(B)/libkws.so.0 $(B)/libkws.a $(DESTDIR)$(LIBDIR)
	ln -sf libkws.so.0 $(DESTDIR)$(LIBDIR)/libkws.so
	install -m644 include/kws/kws.h $(DESTDIR)$(INCLUDE)/kws
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' include/kws.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/kws.pc
	for m in $(MAN_PAGES); do $(call placed,docs/$$m) >$(DESTDIR)$(MAN)/man$${m##*.}/$$m; chmod 644 $(DESTDIR)$(MAN)/man$${m##*.}/$$m; done
	install -m644 cli/kws.bash-completion $(DESTDIR)$(BASH_COMP)/kws
	install -m644 cli/kws.zsh-completion $(DESTDIR)$(ZSH_COMP)/_kws
	install -m644 cli/kws.fish-completion $(DESTDIR)$(FISH_COMP)/kws.fish
	for p in $(SERVICES); do ln -sf kws $(DESTDIR)$(BASH_COMP)/$$p; ln -sf kws.fish $(DESTDIR)$(FISH_COMP)/$$p.fish; done
	install -m644 config/models/*.safetensors config/models/*.bank docs/*.schema.json docs/control.md $(DESTDIR)$(SHARE)
	install -d $(DESTDIR)$(SHARE)/avahi
	install -m644 config/avahi/*.service $(DESTDIR)$(SHARE)/avahi
	for u in $(UNIT_FILES); do $(call placed,systemd/$$u) >$(DESTDIR)$(UNITS)/$$u; chmod 644 $(DESTDIR)$(UNITS)/$$u; done
	$(call placed,systemd/user/kwsd.service) >$(DESTDIR)$(USER_UNITS)/kwsd.service; chmod 644 $(DESTDIR)$(USER_UNITS)/kwsd.service
	$(call placed,config/kwsd.conf) >$(B)/kwsd.conf
	[ -e $(DESTDIR)$(SYSCONF)/kwsd/kwsd.conf ] || install -m644 $(B)/kwsd.conf $(DESTDIR)$(SYSCONF)/kwsd

uninstall:
	rm -f $(addprefix $(DESTDIR),$(patsubst $(B)/%,$(BIN)/%,$(PROGRAMS)) $(foreach m,$(MAN_PAGES),$(MAN)/man$(subst .,,$(suffix $m))/$m) \
		$(addprefix $(UNITS)/,$(UNIT_FILES)) $(USER_UNITS)/kwsd.service \
		$(addprefix $(BASH_COMP)/,kws $(SERVICES)) $(ZSH_COMP)/_kws $(patsubst %,$(FISH_COMP)/%.fish,kws $(SERVICES)) $(INCLUDE)/kws/kws.h \
		$(LIBDIR)/libkws.so.0 $(LIBDIR)/libkws.so $(LIBDIR)/libkws.a $(LIBDIR)/pkgconfig/kws.pc)
	-rmdir $(DESTDIR)$(INCLUDE)/kws
	rm -rf $(DESTDIR)$(SHARE)
	$(call placed,config/kwsd.conf) | cmp -s - $(DESTDIR)$(SYSCONF)/kwsd/kwsd.conf && rm -r $(DESTDIR)$(SYSCONF)/kwsd || true

# what is committed; in an unpacked archive, which has no git, what is there and .gitignore does not name
dist:
	@mkdir -p dist
	$(if $(wildcard .git),git archive --format=tar.gz --prefix=kwsd-$(VERSION)/ -o dist/kwsd-$(VERSION).tar.gz HEAD,\
		sed 's|^/|./|; s|/$$||' .gitignore | tar -czf dist/kwsd-$(VERSION).tar.gz --sort=name --owner=0 --group=0 --numeric-owner \
		--exclude-from=- --transform 's|^\.|kwsd-$(VERSION)|S' .)
VERSION = $(shell sed -n 's/.*KWS_VERSION "\(.*\)"/\1/p' include/kws/kws.h)

# packages, in a clean chroot, as root: docs/packaging.md
RELEASE  ?= bookworm
DEB_ARCH ?= $(shell dpkg --print-architecture)
deb:
	packaging/deb $(RELEASE) $(DEB_ARCH)
deb-check:
	packaging/check $(RELEASE)
deb-reproducible:
	packaging/reproducible $(RELEASE)
apt-repo:
	packaging/apt-repo dist/apt $(KEY)

clean:
	rm -rf build dist

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all help golden check check-built check-units asan tsan valgrind fuzz nightly seeds coverage mutate simulate layers lint docs site analyze format deps \
        demo bench bench-peers install uninstall dist deb deb-check deb-reproducible apt-repo clean
