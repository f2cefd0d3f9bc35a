# SPDX-License-Identifier: MIT OR GPL-2.0
# The contract's tests, as they stand for programs: between helpers.o, which comes first, and who runs them, which comes last.
contract-y := helpers.o actors.o party.o cookies.o order.o wait.o domains.o inline.o progress.o wake.o self_wait.o deadlock.o \
	retire.o errors.o one_call.o cancel.o entries.o
# $(src) is relative to the sources before Linux 6.13. Gates and waits stand on the stack of a thread that has no more than that.
tests-src := $(patsubst %/harness.h,%,$(firstword $(wildcard $(src)/harness.h $(srctree)/$(src)/harness.h)))
ccflags-y += -I$(tests-src) -Wno-frame-larger-than
