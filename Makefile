# SPDX-License-Identifier: MIT
# shmlink. The targets:
#
#   make            externals and program, at the top level, for `pd -path .`
#   make deps       install what is missing
#   make demo       hear and see a first sound: demo.wav, demo.png
#   make check      all tests, small counts; make soak: full counts
#   make test-quick less than a minute of them, after each change
#   make coverage   which lines of src/core the C tests run, in each room
#   make live       links that are disturbed, at all settings of Pd
#   make mutate     faults of one line, to see whether the tests notice
#   make fresh      both commands of README.md in a bare Debian 12
#   make bench      speed, beside what Pd has for the same job;
#                   `make bench-readme` puts its figures into docs/timing.md
#   make install    PDLIBDIR=... for Pd only, PREFIX=... for everything
#   make lib        libshmlink.a and shmlink.pc, for programs of your own
#   make api        write docs/API.md anew, from the headers
#   make messages   write docs/messages.md and the tables of the help patches
#                   anew, from docs/messages.tsv
#   make pages      write docs/terminal.md, docs/write-a-device.md and the man pages
#                   anew, from --help and the examples
#   make features   write tests/FEATURES.md anew, from what the tests show
#   make both       also the externals for a Pd of double precision
#   make warnings, m32, sanitize, fuzz, rooms, format-check    what CI asks too
#   make tidy       what clang-tidy finds: sizes, names, likely faults
#   make effects    that the audio path calls only what may be in it
#   make format     have clang-format set the sources
#   make clean
#
# The externals are built on pd-lib-builder. The core is compiled by rules of
# our own, once, into an archive that externals, program and tests all link:
# without -ffast-math, which would take away the checks for NaN and make the
# same notes sound different in different programs.

lib.name = shmlink

BUILD ?= build
PDLIBBUILDER_DIR ?= $(firstword $(wildcard pd-lib-builder) \
    /usr/share/pd-lib-builder)

# A sanitizer or -m32 comes in here, for a build in a folder of its own.
EXTRA ?=

shl.version := $(shell sed -n \
    's/^\#X text [0-9]* [0-9]* VERSION \(.*\);/\1/p' shmlink-meta.pd)

warn.strict = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion \
    -Werror=implicit-function-declaration \
    -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
    -Wformat=2 -Wcast-qual -Wwrite-strings -Wdouble-promotion -Wswitch-enum

# ---- sources -----------------------------------------------------------------

core.sources := $(wildcard src/core/*/*.c)
tool.sources := $(wildcard src/tool/*.c)
plug.sources := $(wildcard src/plug/*.c src/plug/*/*.c)
pd.sources := $(wildcard src/pd/*.c src/pd/*/*.c)
# The resampler of the free drive, where libsamplerate is installed.
rate.found := $(shell pkg-config --exists samplerate 2>/dev/null && echo yes)
rate.sources := $(if $(rate.found),$(wildcard src/rate/*.c))

class.sources = src/pd/shmlink~.c src/pd/shmreg.c
# Which other files a class is made of. A list for each: [shmreg] needs nothing of
# the files of [shmlink~], and no resampler.
shmreg.parts = $(patsubst %,src/pd/%.c,atoms device_info observers remains replies)
shmlink~.parts = $(filter-out $(class.sources) src/pd/observers.c,$(pd.sources))

# Each file of unit and process is a program; those of support are linked to all of
# them, except those that are built in their own ways, as the fuzzers are.
tests.own = $(patsubst %,tests/support/%.c,rtwatch print_layout methods)
tests.mains := $(wildcard tests/unit/*.c tests/process/*.c)
tests.shared := $(filter-out $(tests.own),$(wildcard tests/support/*.c))
tests.flags = $(core.flags) -D_GNU_SOURCE -Itests/support
bench.sources := $(wildcard tests/bench/*.c)
fuzz.sources := $(wildcard tests/fuzz/fuzz_*.c)

# One short line per command, unless V=1.
say = $(if $(V),,@echo "  $(1) $@";)

# ---- core, program, tests ------------------------------------------------------

objects = $(patsubst src/%.c,$(BUILD)/%.o,$(1))
core.objects = $(call objects,$(core.sources))
tool.objects = $(call objects,$(tool.sources))
plug.objects = $(call objects,$(plug.sources))
# The reference synth is a plugin, too.
synth.objects = $(patsubst %,$(BUILD)/tool/%.o,synth voice wave)
rate.objects = $(call objects,$(rate.sources))
tests.programs = $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(tests.mains)))
bench.programs = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(bench.sources))
fuzz.programs = $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/fuzz_%,$(fuzz.sources))

sndfile.cflags = $(shell pkg-config --cflags sndfile)
sndfile.libs = $(shell pkg-config --libs sndfile)
rate.cflags = $(if $(rate.found),$(shell pkg-config --cflags samplerate) \
    -DSHL_HAVE_SAMPLERATE)
rate.libs = $(if $(rate.found),$(shell pkg-config --libs samplerate))
rate.archive = $(if $(rate.found),$(BUILD)/librate.a)

core.flags = -std=c11 -O2 -g -fPIC -fvisibility=hidden \
    $(warn.strict) -Iinclude -Isrc -MMD -MP -DSHL_META_VERSION='"$(shl.version)"' $(EXTRA)
# The marks of the watcher are a weak symbol that is found when the program
# starts, not when it is linked.
core.ldflags = -Wl,-z,dynamic-undefined-weak $(EXTRA)
core.libs = -lpthread -lrt -ldl -lm

# What each class links, in front of the system's libraries.
shmreg.archives = $(BUILD)/libshmlink.a
shmlink~.archives = $(rate.archive) $(BUILD)/libshmlink.a

# `all` stays the first target.
all:

ifneq ($(wildcard $(PDLIBBUILDER_DIR)/Makefile.pdlibbuilder),)

cflags = -std=c11 -Iinclude -Isrc -fvisibility=hidden $(rate.cflags) \
    -Wno-cast-function-type -DSHL_META_VERSION='"$(shl.version)"'
shmreg.class.sources = $(shmreg.parts)
shmlink~.class.sources = $(shmlink~.parts)
shmreg.class.ldlibs = $(shmreg.archives) $(core.libs)
shmlink~.class.ldlibs = $(shmlink~.archives) $(rate.libs) $(core.libs)
# PREFIX alone brings the Pd part below it, too. Neither of the two: root installs
# into /usr/local, everybody else for their own Pd.
ifeq ($(PREFIX)$(PDLIBDIR),)
  ifeq ($(shell id -u),0)
    PREFIX = /usr/local
  else
    PDLIBDIR = $(HOME)/pd-externals
  endif
endif
ifneq ($(PREFIX),)
  PDLIBDIR ?= $(PREFIX)/lib/pd-externals
endif

datadirs = examples docs
datafiles = $(wildcard help/*.pd) $(wildcard abstractions/*.pd) \
    $(wildcard *.linux-*-64.so) shmlink-meta.pd \
    $(wildcard README.md CHANGELOG.md) LICENSE

include $(PDLIBBUILDER_DIR)/Makefile.pdlibbuilder

c.flags := $(filter-out -ffast-math -Winline,$(c.flags)) $(warn.strict) \
    -isystem "$(PDINCLUDEDIR)" -MMD -MP -g

shmlink~.$(extension): $(shmlink~.archives)
shmreg.$(extension): $(shmreg.archives)
$(patsubst %.c,%.o,$(pd.sources)): Makefile
-include $(wildcard src/pd/*.d src/pd/*/*.d)

post: shmlink shmplug

# The same sources for a Pd of double precision; their objects are kept apart.
pd64.extension = linux-$(patsubst aarch64,arm64,$(patsubst \
    x86_64,amd64,$(target.arch)))-64.so
pd64.classes = $(patsubst src/pd/%.c,%.$(pd64.extension),$(class.sources))
pd64.objects = $(patsubst src/pd/%.c,$(BUILD)/pd64/%.o,src/pd/$(1).c $($(1).parts))

both: all $(pd64.classes)

$(BUILD)/pd64/%.o: src/pd/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(c.flags) -DPD_FLOATSIZE=64 -o $@ -c $<

define pd64.rule
$(1).$(pd64.extension): $(call pd64.objects,$(1)) $($(1).archives)
	$$(call say,LD)$$(CC) $$(c.ldflags) -o $$@ $$^ $$($(1).class.ldlibs)
endef
$(foreach class,shmlink~ shmreg,$(eval $(call pd64.rule,$(class))))

# Objects of the externals in a build of another kind (warnings, sanitizers).
pd.objects = $(patsubst src/pd/%.c,$(BUILD)/pd/%.o,$(pd.sources)) \
    $(patsubst src/pd/%.c,$(BUILD)/pd64/%.o,$(pd.sources))
$(BUILD)/pd/%.o: src/pd/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(c.flags) $(EXTRA) -o $@ -c $<

# The externals of such a build, for a Pd that loads the sanitizer's library.
externals: $(patsubst src/pd/%.c,$(BUILD)/%.$(extension),$(class.sources))
define externals.rule
$(BUILD)/$(1).$(extension): \
    $(patsubst src/pd/%.c,$(BUILD)/pd/%.o,src/pd/$(1).c $($(1).parts)) $($(1).archives)
	$$(call say,LD)$$(CC) -shared $$(EXTRA) -o $$@ $$^ $$($(1).class.ldlibs)
endef
$(foreach class,shmlink~ shmreg,$(eval $(call externals.rule,$(class))))

-include $(wildcard $(BUILD)/pd/*.d $(BUILD)/pd/*/*.d $(BUILD)/pd64/*.d \
    $(BUILD)/pd64/*/*.d)

# [shmlink~] looks for the plugin program in its own folder; README.md for its picture
# in `help`, and for the pages in `docs`.
install: install-beside install-hint
install-beside: all
	install -d '$(installpath)/help' '$(installpath)/docs'
	install -m 755 shmplug shmlink '$(installpath)'
	install -m 644 $(wildcard docs/*.md) '$(installpath)/docs'
	install -m 644 $(wildcard help/*.png) '$(installpath)/help'

ifneq ($(PREFIX),)
install: install-program
endif
install-program: all
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/man/man1' \
	    '$(DESTDIR)$(PREFIX)/lib/pkgconfig' \
	    '$(DESTDIR)$(PREFIX)/include/shmlink'
	install -m 755 shmlink shmplug '$(DESTDIR)$(PREFIX)/bin'
	install -m 644 docs/shmlink.1 docs/shmplug.1 '$(DESTDIR)$(PREFIX)/share/man/man1'
	install -m 644 $(BUILD)/libshmlink.a '$(DESTDIR)$(PREFIX)/lib'
	install -m 644 $(wildcard include/shmlink/*.h) \
	    '$(DESTDIR)$(PREFIX)/include/shmlink'
	$(call pc.text,$(PREFIX)) >'$(DESTDIR)$(PREFIX)/lib/pkgconfig/shmlink.pc'
install-hint: install-executables install-datafiles install-datadirs install-beside
	@echo "[shmlink~] is in $(installpath)."
	@echo "Pd looks in ~/pd-externals, ~/.local/lib/pd/extra and" \
	    "/usr/local/lib/pd-externals; for another folder: pd -path $(PDLIBDIR)"

else

all both install:
	@echo "pd-lib-builder is missing; 'make deps' installs it" >&2; exit 1
clean:

endif

# The core for programs of others. It is an archive, so whoever links it links
# what it needs, too.
pc.text = @printf '%s\n' 'prefix=$(1)' 'libdir=$${prefix}/lib' \
    'includedir=$${prefix}/include' '' 'Name: shmlink' \
    'Description: sound and control between processes, by shared memory' \
    'Version: $(shl.version)' 'Cflags: -I$${includedir}' \
    'Libs: -L$${libdir} -lshmlink $(core.libs)'

lib: libshmlink.a shmlink.pc
libshmlink.a: $(BUILD)/libshmlink.a
	cp --remove-destination $< $@
shmlink.pc:
	$(call pc.text,$(or $(PREFIX),/usr/local)) >$@

$(BUILD)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(core.flags) -o $@ -c $<

$(tool.objects): core.flags += $(sndfile.cflags) $(rate.cflags)

$(rate.objects): core.flags += $(rate.cflags)

$(BUILD)/librate.a: $(rate.objects)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(BUILD)/libshmlink.a: $(core.objects)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

# What the program is made of, for tests to take pieces from.
$(BUILD)/libtool.a: $(filter-out %/main.o,$(tool.objects))
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(BUILD)/libplug.a: $(filter-out %/main.o,$(plug.objects))
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

shmlink shmplug: %: $(BUILD)/%
	cp --remove-destination $< $@

$(BUILD)/shmplug: $(plug.objects) $(synth.objects) $(BUILD)/libshmlink.a
	$(call say,LD)$(CC) $(core.ldflags) -o $@ $^ $(core.libs)

$(BUILD)/shmlink: $(tool.objects) $(rate.archive) $(BUILD)/libshmlink.a
	$(call say,LD)$(CC) $(core.ldflags) -o $@ $^ $(sndfile.libs) \
	    $(rate.libs) $(core.libs)

define tests.rule
$(BUILD)/tests/%.o: tests/$(1)/%.c Makefile
	@mkdir -p $$(@D)
	$$(call say,CC)$$(CC) $$(tests.flags) -o $$@ -c $$<
endef
$(foreach folder,unit process support,$(eval $(call tests.rule,$(folder))))

shared.objects = $(patsubst tests/support/%.c,$(BUILD)/tests/%.o,$(tests.shared))
test.archives = $(wildcard $(BUILD)/libtool.a) $(BUILD)/libshmlink.a

$(tests.programs): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(shared.objects) \
    $(BUILD)/libplug.a $(BUILD)/libtool.a $(BUILD)/libshmlink.a
	$(call say,LD)$(CC) $(core.ldflags) -o $@ $^ $(sndfile.libs) \
	    $(wrapped:%=-Wl,--wrap=%) \
	    $(if $(filter test_%,$*),-lcmocka) \
	    $(if $(filter %/librate.a,$^),$(rate.libs)) \
	    $(core.libs)

# Plugins for tests.
$(BUILD)/tests/fixture.clap: tests/plugins/fixture_clap.c src/plug/clap/abi.h \
    Makefile
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(core.flags) -D_GNU_SOURCE -shared -o $@ $< -lm -lpthread
$(BUILD)/tests/test_plug_clap: | $(BUILD)/tests/fixture.clap

# Those that start other programs of the build.
$(BUILD)/tests/test_plug_host: | $(BUILD)/shmplug
$(addprefix $(BUILD)/tests/test_,plugin plugin_hazards plugin_start): | $(BUILD)/tests/maolan_peer

# The one that takes a piece of the externals.
$(BUILD)/tests/test_schedule.o: core.flags += -isystem "$(PDINCLUDEDIR)"

# Calls before which something else is to happen.
$(BUILD)/tests/test_races: wrapped = shl_map_owner shl_lease_take \
    shl_segment_claim_read shl_segment_view shl_map_reserve
$(BUILD)/tests/test_fragments: wrapped = realloc
$(BUILD)/tests/test_cycle: wrapped = shl_clock_ns shl_word_wait

rate.tests = $(addprefix $(BUILD)/tests/test_,stream free free_claims free_events)
$(addsuffix .o,$(rate.tests)): core.flags += $(rate.cflags)
$(rate.tests): $(rate.archive)

$(bench.programs): $(BUILD)/bench/%: tests/bench/%.c $(BUILD)/libshmlink.a \
    Makefile
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(core.flags) -D_GNU_SOURCE $(core.ldflags) -o $@ $< \
	    $(BUILD)/libshmlink.a \
	    $(core.libs)

$(BUILD)/rtwatch.so: tests/support/rtwatch.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(core.flags) -D_GNU_SOURCE -ftls-model=initial-exec -shared -o $@ $< -ldl

fuzz.archives = $(addprefix $(BUILD)/,libplug.a libtool.a libshmlink.a)
$(fuzz.programs): $(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(fuzz.archives) Makefile
	$(call say,CC)$(CC) $(core.flags) -D_GNU_SOURCE -fsanitize=fuzzer -o $@ $< \
	    $(fuzz.played:%=-Wl,--wrap=%) $(fuzz.archives) $(core.libs)

# Calls that a fuzzer answers itself: clocks, threads, the other side of a pipe.
$(BUILD)/fuzz_letters: fuzz.played = shl_clock_ns shl_sleep_ms shl_worker_new \
    shl_worker_wake shl_worker_free
$(BUILD)/fuzz_answers: fuzz.played = shl_clock_ns
$(BUILD)/fuzz_plugin_request: fuzz.played = shl_clock_ns shl_word_wait shl_pipes_ring \
    shl_pipes_wait shl_pipes_drain

-include $(wildcard $(BUILD)/core/*/*.d $(BUILD)/tool/*.d $(BUILD)/tests/*.d \
    $(BUILD)/rate/*.d $(BUILD)/plug/*.d $(BUILD)/plug/*/*.d \
    $(BUILD)/bench/*.d $(BUILD)/*.d)

programs: $(BUILD)/shmlink $(BUILD)/shmplug $(tests.programs) $(bench.programs) \
    $(BUILD)/rtwatch.so
fuzzers: $(fuzz.programs)
core: $(BUILD)/libshmlink.a
objects: $(pd.objects)

# ---- kinds of builds -------------------------------------------------------------

jobs := $(shell nproc 2>/dev/null || echo 1)
# Recursive calls: parallel, unless the user's own -j is at work already.
again = $(MAKE) --no-print-directory \
    $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(jobs))

asan = -fsanitize=address,undefined -fno-sanitize-recover=all \
    -fno-omit-frame-pointer
tsan = -fsanitize=thread
fuzzer = -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=all

# Everything that `check` and `soak` run.
ready:
	@sh tests/deps.sh
	@$(again) all both
	@$(again) programs
	@$(again) fuzzers BUILD=build/fuzz CC=clang EXTRA='$(fuzzer)'
	@$(again) externals BUILD=build/asan-pd CC=gcc EXTRA='$(asan)'
	@sh tests/interop/build.sh || true # check_interop*.sh say what it means

fuzz:
	@$(again) fuzzers BUILD=build/fuzz CC=clang EXTRA='$(fuzzer)'
	@sh tests/fuzz.sh

deps:
	@sh tests/deps.sh

demo:
	@sh tests/deps.sh demo
	@$(again) all
	@sh demo/demo.sh

check: ready
	@sh tests/check.sh

test-quick:
	@$(again) all programs
	@sh tests/quick.sh

covered = --coverage -Og -fprofile-update=atomic
coverage:
	@$(again) programs BUILD=build/coverage EXTRA='$(covered)'
	@sh tests/coverage.sh

# Whether the other side has published something newer than what is tested.
newest:
	@sh tests/interop/newest.sh

soak: ready
	@SHL_SOAK=1 sh tests/check.sh

bench:
	@sh tests/deps.sh bench
	@$(again) all programs
	@sh tests/bench/run.sh

bench-readme:
	@sh tests/bench/readme.sh

live:
	@sh tests/deps.sh
	@$(again) all programs
	@sh tests/scripts/check_live.sh

mutate:
	@sh tests/deps.sh
	@sh tests/mutate.sh

fresh:
	@sh tests/fresh.sh

warnings:
	@$(again) programs objects BUILD=build/gcc CC=gcc EXTRA=-Werror
	@$(again) programs objects BUILD=build/clang CC=clang EXTRA=-Werror
	@echo "warnings: none, by gcc and by clang"

m32:
	@$(again) core BUILD=build/m32 EXTRA='-m32 -Wno-psabi -Werror'
	@sh tests/m32.sh

sanitize:
	@$(again) programs BUILD=build/asan CC=clang EXTRA='$(asan)'
	@$(again) programs BUILD=build/tsan CC=clang EXTRA='$(tsan)'
	@sh tests/sanitize.sh

api:
	@sh tests/api.sh >docs/API.md.new && \
	    mv docs/API.md.new docs/API.md || \
	    { rm -f docs/API.md.new; exit 1; }

messages:
	@sh tests/messages.sh

pages: programs
	@for page in terminal.md write-a-device.md shmlink.1 shmplug.1; do \
	    sh tests/pages.sh $${page%.md} >docs/page.new && \
	        mv docs/page.new docs/$$page || { rm -f docs/page.new; exit 1; }; \
	done

features:
	@sh tests/features.sh >tests/FEATURES.md.new && \
	    mv tests/FEATURES.md.new tests/FEATURES.md || \
	    { rm -f tests/FEATURES.md.new; exit 1; }

rooms:
	@sh tests/rooms.sh
	@$(again) all >/dev/null
	@sh tests/circles.sh
	@sh tests/licenses.sh

# The core, the programs and the externals, by .clang-tidy; a finding is an error.
tidy.files = $(wildcard src/*/*.c src/*/*/*.c)
tidy.flags = -std=c11 -D_GNU_SOURCE -DPD -DUNIX -Iinclude -Isrc \
    -isystem "$(PDINCLUDEDIR)" -DSHL_META_VERSION=__FILE__ $(rate.cflags)
tidy:
	@command -v clang-tidy >/dev/null || { \
	    echo "tidy: no clang-tidy here: sh tests/deps.sh ci installs it"; exit 1; }
	@printf '%s\n' $(tidy.files) | xargs -P $(jobs) -n 4 sh -c \
	    'clang-tidy --quiet "$$@" -- $(tidy.flags) 2>/dev/null' tidy
	@echo "tidy: $(words $(tidy.files)) files are as .clang-tidy has them"

# The audio path, by a newer clang than that of Debian 12.
effects:
	@sh tests/effects.sh

formatted = $(wildcard include/*/*.[ch] src/*/*.[ch] src/*/*/*.[ch] \
    tests/*/*.[ch] examples/*.[ch])
format:
	clang-format -i $(formatted)

format-check:
	@clang-format --dry-run -Werror $(formatted)
	@echo "format-check: $(words $(formatted)) files are as clang-format has them"

clean: clean-build
clean-build:
	rm -f shmlink shmplug libshmlink.a shmlink.pc demo.wav demo.png *.linux-*-64.so src/pd/*.d src/pd/*/*.d
	find build -mindepth 1 -maxdepth 1 ! -name 'pd-*' ! -name zig \
	    -exec rm -rf {} + 2>/dev/null || true

.PHONY: all both programs fuzzers core objects ready deps demo check newest soak \
    test-quick coverage bench bench-readme live mutate fresh warnings m32 sanitize fuzz rooms tidy effects format format-check clean clean-build \
    install install-beside install-program install-hint lib api messages features shmlink.pc
.DELETE_ON_ERROR:
