# SPDX-License-Identifier: MIT
# The front door: installs Debian packages that are missing, then hands over to Meson (meson.build) and tools/.
BUILD ?= build
prefix := $(if $(PREFIX),--prefix $(PREFIX))

.PHONY: all help boot check check-quick check-library packages check-packages check-image lint check-boot stress sanitize torture explore fuzz coverage mutate bench boot-kernel check-kernel check-module site install uninstall check-ports clean
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

help:
	@echo 'make               builds the library and the programs, in $(BUILD)/'
	@echo 'make boot          boots a machine in QEMU before and after, charts in out/;'
	@echo '                   INSTALLED=1: with what the Debian packages have installed'
	@echo 'make check         runs every test, also under the sanitizers'
	@echo 'make check-quick   what to run before each commit: one build, three minutes at most'
	@echo 'make check-library the library alone, on any system with a compiler, Meson and cmocka'
	@echo 'make check-boot    boots the whole matrix of machines, tests/boot/matrix.ini; goes on where it was stopped: ONLY=REGEX;'
	@echo '                   SERIES=100: each machine of the series as often, with random delays; a table of the namings'
	@echo 'make packages      the Debian packages, in out/packages'
	@echo 'make check-packages  builds them on Debian 12 and 13, installs, upgrades, boots, purges: SUITES="bookworm trixie"; as root'
	@echo 'make check-image   installs inorder-image on Debian 12 and 13 in QEMU, boots, upgrades, breaks, removes it: KVM=1; as root'
	@echo 'make lint          checks the style of every file; tools/lint --fix formats C'
	@echo 'make stress        tests again and again, many at once, on one processor, with nothing around: TIMES=10'
	@echo 'make sanitize      the long form: ASan, UBSan and TSan with gcc and clang, and helgrind'
	@echo 'make torture       random programs against the library: SECONDS=60, or CALLS=N; SEED=N'
	@echo 'make fuzz          odd inputs for every parser: SECONDS=60 for each'
	@echo 'make explore       every schedule of small cases with three deviations: some minutes'
	@echo 'make mutate        deliberate bugs, one at a time: each must be noticed; ONLY="NAME ..."'
	@echo 'make coverage      which lines and branches of the library the tests run'
	@echo 'make bench         runs the benchmarks'
	@echo 'make boot-kernel   boots Linux with inorder as its kernel/async.c, before and after, charts in out/'
	@echo 'make check-kernel  checks that kernel; LONG=1: KASAN, KCSAN, lockdep too; KERNEL=6.12: that one'
	@echo 'make check-module  checks the kernel port as a module in the stock kernel, beside its own async calls'
	@echo 'make site          the documentation as pages for a browser, in out/site'
	@echo 'make check-ports   the library and its tests on other processors, under qemu-user: ONLY="armhf s390x"'
	@echo 'make install       installs to PREFIX (/usr/local unless set), below DESTDIR if that is set'
	@echo 'make uninstall     removes what make install installed'
	@echo 'make clean         removes what the others made'

$(BUILD)/build.ninja:
	tools/install-packages build
	meson setup $(prefix) $(BUILD)

boot: all
	tools/install-packages boot
	tools/boot --build $(BUILD) --out out $(if $(INSTALLED),--installed)

check:
	tools/install-packages check
	tools/check

check-quick:
	tools/install-packages check
	tools/check --quick

check-library:
	tools/install-packages library
	tools/check --library

packages:
	tools/install-packages packages
	tools/debs out/packages

check-packages:
	tools/install-packages packages
	tests/packages/check . $(BUILD)/packages $(SUITES)

check-boot: all
	tools/install-packages check
	tests/boot/matrix.py $(if $(ONLY),--only '$(ONLY)') . $(BUILD)
	$(if $(SERIES),tests/boot/series.py --boots $(SERIES) $(if $(ONLY),--only '$(ONLY)') . $(BUILD))
	tests/boot/debian.py $(if $(ONLY),--only '$(ONLY)') . $(BUILD) || [ $$? = 77 ]

check-image: all
	tools/install-packages check
	tests/image/debian.py $(if $(ONLY),--only '$(ONLY)') $(if $(KVM),--kvm) . $(BUILD) || [ $$? = 77 ]

lint:
	tools/install-packages check
	tools/lint

stress: all
	tools/install-packages check
	tools/stress --times $(or $(TIMES),10) $(BUILD)

sanitize:
	tools/install-packages check
	tools/sanitize

torture: all
	tools/install-packages check
	ninja -C $(BUILD) tests/torture/torture
	$(BUILD)/tests/torture/torture $(if $(CALLS),--calls $(CALLS),--seconds $(or $(SECONDS),60)) $(if $(SEED),--seed $(SEED))

fuzz:
	tools/install-packages check
	tools/fuzz --seconds $(or $(SECONDS),60)

explore: all
	tools/install-packages check
	ninja -C $(BUILD) tests/explore/explore
	$(BUILD)/tests/explore/explore --long --coverage --jobs $$(nproc)

mutate:
	tools/install-packages check
	tools/mutate $(ONLY)

coverage:
	tools/install-packages check
	tools/coverage

bench: all
	tools/install-packages bench
	@[ "$$(meson introspect --benchmarks $(BUILD))" != '[]' ] || \
		{ echo 'make bench: bench/ has no benchmarks yet, so nothing was measured' >&2; exit 2; }
	meson test -C $(BUILD) --benchmark --verbose

boot-kernel: all
	tools/install-packages kernel
	tools/boot-kernel --build $(BUILD) --out out

check-kernel: all
	tools/install-packages kernel
	tools/check-kernel --build $(BUILD) $(if $(LONG),--long) $(if $(KERNEL),--kernel $(KERNEL))

check-module: all
	tools/install-packages kernel
	tests/kernel/module-test --build $(BUILD)
	[ ! -d $(BUILD)/linux/stock ] || tests/kernel/lint $(BUILD)/kernel-lint $(BUILD)/linux/stock

site:
	tools/install-packages check
	tools/site

check-ports: all
	tools/install-packages ports
	ninja -C $(BUILD) $$(ninja -C $(BUILD) -t targets all | sed -n 's/^\(tests\/\(contract\|guest\)\/[^.:]*\): c.*/\1/p')
	tools/check-ports --build $(BUILD) $(ONLY)

install: $(BUILD)/build.ninja
	$(if $(prefix),meson configure $(prefix) $(BUILD))
	meson install -C $(BUILD)

uninstall:
	ninja -C $(BUILD) uninstall

clean:
	rm -rf $(BUILD) build-library build-asan build-tsan build-gcc-asan build-clang-asan build-gcc-tsan build-clang-tsan build-helgrind build-fuzz build-coverage out
