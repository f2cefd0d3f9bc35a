#!/bin/sh
# SPDX-License-Identifier: MIT
# The core and ports/template make a library for one thread as they stand: the template names all that a port provides,
# and with it the contract's tests pass that need no second thread. With the bodies of docs/PORTING.md it has threads.
. "$(dirname "$0")/lib.sh"
need cc ar

cd "$scratch" || exit 1
library="-I$source_dir/ports/template -I$source_dir/core -I$source_dir/include"
for file in "$source_dir"/core/*.c "$source_dir"/ports/template/*.c \
	"$source_dir"/ports/posix/end.c "$source_dir"/ports/posix/report.c "$source_dir"/ports/posix/schedule.c \
	"$source_dir"/ports/posix/wait.c; do
	object=$(basename "$(dirname "$file")")-$(basename "$file" .c).o
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Werror $library -c -o "$object" "$file" || fail "$file does not compile"
done
ar rcs libtemplate.a ./*.o
pkg-config --exists cmocka 2>/dev/null || exit $failed

# A program of tests/contract, and those of its tests that need no second thread.
cc_test="${CC:-cc} -std=gnu11 -D_GNU_SOURCE -w -I$source_dir/include -I$source_dir/tests -pthread"
$cc_test -c "$source_dir/tests/harness.c" "$source_dir/tests/actors.c" "$source_dir/tests/tasks.c" \
	"$source_dir/tests/contract/party.c"
while read -r program test; do
	[ -x "$program" ] || $cc_test -o "$program" "$source_dir/tests/contract/$program.c" harness.o actors.o tasks.o party.o \
		libtemplate.a $(pkg-config --cflags --libs cmocka) || fail "$program does not link with the template"
	if "./$program" "$test@0" </dev/null >log 2>&1 && grep -qF '[       OK ]' log; then
		continue
	fi
	fail "$program: $test fails with the template: $(cat log)"
done <<'EOF'
cookies cookies_increase_over_domains_and_kinds
cookies a_call_is_given_its_data_and_knows_its_cookie
cookies a_retire_step_knows_its_cookie
wait what_calls_wrote_is_visible_to_the_waiter
wait full_waits_cover_calls_scheduled_while_waiting
wait a_wait_for_nothing_returns
domains domains_that_wait_for_each_others_earlier_calls
domains an_exclusive_domain_alone
domains a_domain_may_go_once_a_full_wait_returned
domains a_domain_that_is_gone_is_not_looked_at
inline without_workers_calls_run_inline
inline a_failed_try_burns_no_cookie_without_workers
retire many_retire_steps_run_in_order
retire a_retire_step_needs_no_wait_to_run
retire retire_sees_what_func_and_lower_retires_wrote
retire a_retire_step_may_schedule_and_wait
retire ordered_calls_of_the_default_domain
errors the_error_of_the_lowest_failed_cookie
errors an_error_of_a_retire_step_counts
errors an_error_belongs_to_the_call_that_set_it
one_call answers_for_cookies_that_are_not_in_progress
cancel cancel_of_nothing
entries an_entry_is_the_librarys_until_a_wait_saw_it_complete
entries an_entry_goes_with_its_page
entries entries_keep_order_among_other_calls
owner an_owner_wait_covers_calls_scheduled_meanwhile
owner a_retire_step_passes_the_owner_on
owner an_owner_may_go_once_its_wait_returned
self_wait waiting_up_to_the_own_cookie_is_no_misuse
self_wait a_nested_inline_call_leaves_its_parent_out
self_wait a_report_of_deeply_nested_calls
self_wait a_report_of_calls_with_long_names
self_wait a_parent_in_another_domain_is_none_of_its_business
self_wait a_retire_step_that_waits_for_itself
self_wait many_waits_for_oneself
old_names the_names_of_2009
old_names the_names_of_today
quiesce exclusive_domains_go_on
quiesce begin_inside_a_call_is_a_deadlock
quiesce the_holder_does_not_wait_for_what_it_holds
report a_report_where_nothing_runs
report a_name_is_not_used_after_its_call
report without_a_watchdog_nothing_is_said
progress parents_wait_for_children_in_domains_of_their_own
progress parents_wait_for_children_in_one_domain
progress nesting_deeper_than_the_pool
progress a_chain_of_a_thousand_calls
EOF

# The page's code comes first and so replaces the template's bodies. Whole programs pass, with 2 and with 256 workers.
{
	grep '^#include "' "$source_dir/ports/template/port.c"
	printf '#include <%s.h>\n' pthread sched stdlib time unistd
	awk '$0 == "```c" { inside = 1; next } /^```/ { inside = 0 } inside' "$source_dir/docs/PORTING.md"
} >threads.c
"${CC:-cc}" -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Werror $library -c threads.c ||
	fail "the code of docs/PORTING.md does not compile with ports/template"
for program in order wait deadlock cancel; do
	$cc_test -o "$program-threads" "$source_dir/tests/contract/$program.c" harness.o actors.o tasks.o party.o threads.o libtemplate.a \
		-Wl,-z,muldefs $(pkg-config --cflags --libs cmocka) || fail "$program does not link with docs/PORTING.md"
	"./$program-threads" @2 </dev/null >log 2>&1 || fail "$program fails with the code of docs/PORTING.md: $(cat log)"
	grep -qF '[       OK ]' log || fail "$program has run nothing"
done
exit $failed
