#!/usr/bin/env python3
"""Prepares source files for the model tests.

usage: mutate.py number OUTPUT-FOLDER SITES ROOT FILE...
           Copies the files into the folder, with each memory order that could be weaker behind a number, and writes the
           table of these places to SITES (see struct model_site in explore.h).
       mutate.py plant MUTANT ROOT OUTPUT-FOLDER STAMP
           Copies the mutant's file into the folder with one mistake planted; fails if the text to be changed is not there
           exactly once.
       mutate.py list
           The mutants, each with the test that has to catch it.
"""
import os
import re
import shutil
import sys

# test: {file: {name: [(text, replacement)...]}}; blanks match any blanks.
MUTANTS = {
    'mailbox': {'core/sync/mailbox.h': {
        'rest_without_compare': [(
            'if (CEDEI_LIKELY(atomic_compare_exchange_strong_explicit( &mailbox->word, &expected, flag,',
            'expected = atomic_load_explicit(&mailbox->word, memory_order_relaxed); '
            'if (CEDEI_LIKELY(atomic_compare_exchange_strong_explicit( &mailbox->word, &expected, flag,')],
        'rest_keeps_seen': [('mailbox->seen = 0; /* before the exchange', '; /* before the exchange')],
        'seen_after_the_rest': [
            ('mailbox->seen = 0; /* before the exchange', '; /* before the exchange'),
            ('flag, memory_order_seq_cst, memory_order_relaxed))) return true;',
             'flag, memory_order_seq_cst, memory_order_relaxed))) { mailbox->seen = 0; return true; }')],
        'depth_off_by_one': [('(uint32_t)node->depth_and_tag == 2', '(uint32_t)node->depth_and_tag == 1')],
        'take_all_keeps_seen': [('mailbox->seen = 0; if (--batch.count == 0) return batch;',
                                 'if (--batch.count == 0) return batch;')],
        'signal_leaves_idle': [('(word & ~(CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) | CEDEI_MAILBOX_SIGNAL',
                                'word | CEDEI_MAILBOX_SIGNAL')],
        'bound_off_by_one': [('(int64_t)count + behind >= count_max', '(int64_t)count + behind > count_max')],
        'link_after_the_push': [
            ('node->next = cedei_mailbox_newest(word); uint64_t counted', 'uint64_t counted'),
            ('memory_order_relaxed)) { *before = word; return true; }',
             'memory_order_relaxed)) { node->next = cedei_mailbox_newest(word); *before = word; return true; }')],
    }},
    'runqueue': {'core/sync/runqueue.h': {
        'push_over_the_end': [('tail - head >= CEDEI_RUNQUEUE_CAPACITY', 'tail - head > CEDEI_RUNQUEUE_CAPACITY')],
        'pop_without_compare': [(
            'if (atomic_compare_exchange_weak_explicit(&queue->head, &head, head + 1,',
            'head = atomic_load_explicit(&queue->head, memory_order_relaxed); '
            'if (atomic_compare_exchange_weak_explicit(&queue->head, &head, head + 1,')],
        'steal_without_compare': [(
            'if (atomic_compare_exchange_weak_explicit(&queue->head, &head, head + count,',
            'head = atomic_load_explicit(&queue->head, memory_order_relaxed); '
            'if (atomic_compare_exchange_weak_explicit(&queue->head, &head, head + count,')],
        'tail_before_the_entry': [
            ('/* relaxed: published by the store of `tail`. */',
             'atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);'),
            ('atomic_store_explicit(&queue->tail, tail + 1, memory_order_release); return true;', 'return true;')],
        'pop_reads_after_the_exchange': [
            ('memory_order_acq_rel, memory_order_acquire)) return task;',
             'memory_order_acq_rel, memory_order_acquire)) return atomic_load_explicit('
             '&queue->entries[(head) % CEDEI_RUNQUEUE_CAPACITY], memory_order_relaxed) != task ? NULL : '
             'atomic_load_explicit(&queue->entries[(head + 1) % CEDEI_RUNQUEUE_CAPACITY], memory_order_relaxed);')],
    }},
    'share': {
        'actors/share/permits.c': {
            'dead_waiter_keeps_its_permit': [('else cedei_permits_give(permits, place->want);', '')],
            'line_is_not_marked': [('if (!taken && !mark) return false;', 'if (!taken) return mark && false;')],
            'newcomer_passes_the_line': [('bool is_first = permits->line.first == NULL;', 'bool is_first = true;')],
            'mark_is_taken_back_too_soon': [('if (first == NULL) word &= ~CEDEI_PERMITS_LINE;',
                                             'word &= ~CEDEI_PERMITS_LINE;')],
            'leaver_forgets_those_behind': [('if (leaves) cedei_line_remove(&permits->line, leaver);',
                                             'if (leaves) { cedei_line_remove(&permits->line, leaver); '
                                             'cedei_mutex_unlock(&permits->lock); return true; }')],
            'late_leaver_takes_it_along': [('if (r != CEDE_OK) (void)settle(permits, 0, 0, place);',
                                            'if (r != CEDE_OK && !settle(permits, 0, 0, place)) return r;')],
        },
        'actors/share/notify.c': {
            'call_of_the_dead_is_lost': [(
                'if (!line_leave(notify, place) && place->gift == &for_one) cede_notify_one(notify);',
                '(void)line_leave(notify, place);')],
            'call_for_all_calls_one': [('while ((first = notify->line.first) != NULL && first->want < round && !is_more)',
                                        'if ((first = notify->line.first) != NULL && first->want < round && !is_more)')],
            'waits_without_a_mark': [('next = (word & CALLED) ? 0 : LINE;', 'next = 0;')],
        },
        'core/base/refcount.h': {
            'last_but_one_is_the_last': [('return before == 1;', 'return before == 2;')],
        },
    },
    'park': {
        'core/sched/park.c': {
            'look_before_marked_idle': [
                ('cedei_search_end(worker, false); cedei_asleep_until_set',
                 'bool seen = cedei_queues_have_work(sched); cedei_search_end(worker, false); cedei_asleep_until_set'),
                ('bool waits = cedei_queues_have_work(sched);', 'bool waits = seen;')],
            'idle_before_parked': [
                ('atomic_store_explicit(&worker->parked, PARKED_IN_FUTEX, memory_order_release);', ''),
                ('(uint64_t)1 << worker->index, memory_order_seq_cst); }',
                 '(uint64_t)1 << worker->index, memory_order_seq_cst); '
                 'atomic_store_explicit(&worker->parked, PARKED_IN_FUTEX, memory_order_release); }')],
            'sleeper_that_finds_work_keeps_it_to_itself': [('if (waits) cedei_search_join(worker);', '')],
            'sleeper_keeps_its_old_limit': [('cedei_asleep_until_set(worker, UINT64_MAX);', '')],
            'waker_forgets_to_wake': [('cedei_futex_wake(&worker->parked, 1);', '{}')],
            'waker_forgets_the_reactor': [('cedei_poll_wake(&sched->reactor.poll);', '{}')],
            'awaits_the_waker_in_the_reactor': [  # as it was once: the waker then wakes the reactor, not the futex
                ('uint32_t parked = PARKED_IN_REACTOR; ', 'uint32_t parked = 9; '),
                ('cedei_futex_wait(&worker->parked, PARKED_IN_FUTEX, UINT64_MAX);',
                 'cedei_futex_wait(&worker->parked, atomic_load_explicit(&worker->parked, memory_order_relaxed), '
                 'UINT64_MAX);')],
        },
        'core/sys/poll.c': {
            'wake_by_edge': [  # as it was once: who looks in passing takes the report that was for the sleeper
                ('struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};',
                 'struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.ptr = NULL}};')],
            'wake_is_taken_in_passing': [('if (is_ended && deadline_ns != 0) wake_clear(poll);',
                                          'if (is_ended) wake_clear(poll);')],
        },
        'core/sched/watch.c': {
            'timer_wakes_nobody': [('if (cedei_timer_add(wheel, timer, expires_ns)) wheel_watch(sched, wheel);',
                                    'if (cedei_timer_add(wheel, timer, expires_ns)) (void)wheel_watch;')],
        },
        'core/sched/steal.c': {
            'last_searcher_wakes_nobody': [('if (cedei_queues_have_work(sched)) cedei_sched_wake_one(sched);', '')],
            'last_searcher_looks_too_early': [
                ('/* seq_cst: ordered against the adder\'s look at `searching`. */',
                 'bool more = cedei_queues_have_work(sched);'),
                ('if (cedei_queues_have_work(sched)) cedei_sched_wake_one(sched);',
                 'if (more) cedei_sched_wake_one(sched);')],
        },
        'core/sched/queue.c': {
            'wake_before_the_work': [(
                'return CEDE_OK; } cedei_global_push(sched, task, task, 1); cedei_sched_wake_one(sched); return CEDE_OK;',
                'return CEDE_OK; } cedei_sched_wake_one(sched); cedei_global_push(sched, task, task, 1); return CEDE_OK;')],
            'spill_forgets_the_task': [('half[count - 1]->next = task;', 'task = half[count - 1];')],
        },
        'core/sched/sched.c': {
            'stop_after_the_wakes': [
                ('atomic_store_explicit(&sched->stopping, 1, memory_order_seq_cst);', ''),
                ('cedei_futex_wake(&worker->duty, 1); } }',
                 'cedei_futex_wake(&worker->duty, 1); } '
                 'atomic_store_explicit(&sched->stopping, 1, memory_order_seq_cst); }')],
        },
    },
    'wait': {
        'actors/actor/wait.c': {
            'park_without_compare': [(
                'if (!atomic_compare_exchange_strong_explicit(&self->wait, &word, '
                'cedei_wait_armed(sequence, CEDEI_WAIT_PARKED),',
                'word = atomic_load_explicit(&self->wait, memory_order_relaxed); '
                'if (!atomic_compare_exchange_strong_explicit(&self->wait, &word, '
                'cedei_wait_armed(sequence, CEDEI_WAIT_PARKED),')],
            'park_forgets_the_kill': [('if (CEDEI_UNLIKELY((identity & (CEDEI_SIGNAL_KILL | CEDEI_SIGNAL_STOP)) != 0))', 'if (0)')],
            'park_forgets_the_stop': [('if (CEDEI_UNLIKELY((identity & (CEDEI_SIGNAL_KILL | CEDEI_SIGNAL_STOP)) != 0))',
                                       'if (CEDEI_UNLIKELY((identity & CEDEI_SIGNAL_KILL) != 0))')],
            'recv_without_second_look': [(
                'if (is_recv && !cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV))',
                'if (is_recv && !cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV) && 0)')],
            'rest_after_park': [  # as it was once: another worker may be running the actor by then
                ('if (is_recv && !cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV)) '
                 'cedei_wait_wake(system, worker, self, sequence, cedei_wake_code(CEDE_OK));', ''),
                ('/* From here on `self` is others\' too',
                 'if (is_recv && !cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV)) '
                 'cedei_wait_wake(system, worker, self, sequence, cedei_wake_code(CEDE_OK)); '
                 '/* From here on `self` is others\' too')],
            'cycle_before_park': [
                ('uint64_t word = cedei_wait_armed(sequence, CEDEI_WAIT_PENDING); /* Before it is parked',
                 'uint64_t word = cedei_wait_armed(sequence, CEDEI_WAIT_NONE); '
                 'bool may_close = cedei_cycle_may_close(system, asked); '
                 'word = cedei_wait_armed(sequence, CEDEI_WAIT_PENDING); /* Before it is parked'),
                ('!= 0 || cedei_cycle_may_close(system, asked)))', '!= 0 || may_close))')],
            'recv_is_not_said': [('self->recv_wait = true;', '')],
        },
        'actors/actor/turn.c': {
            'rest_forgets_the_stop': [('self->pending == NULL && CEDEI_LIKELY(cedei_signals_of(self) == 0)',
                                       'self->pending == NULL')],
            'rest_forgets_the_line': [('&& CEDEI_LIKELY(!cedei_room_is_wanted(self))', ''),
                                      ('return cedei_room_is_wanted(self) && cedei_room_give(self, NULL);',
                                       'return false;')],
            'rest_forgets_the_lane': [('if (cedei_signals_of(self) != 0) continue;', ''),
                                      ('self->pending == NULL && CEDEI_LIKELY(cedei_signals_of(self) == 0)',
                                       'self->pending == NULL')],
        },
        'actors/actor/actor.h': {
            'wake_submits_what_is_not_parked': [('if (word == parked) (void)cedei_sched_submit',
                                                 '(void)cedei_sched_submit')],
            'wake_submits_first': [
                ('if (word == parked) (void)cedei_sched_submit(&system->sched, worker, &actor->task);', ''),
                ('/* acq_rel: pairs with the parking (takes over',
                 'if (word == parked) (void)cedei_sched_submit(&system->sched, worker, &actor->task); '
                 '/* acq_rel: pairs with the parking (takes over')],
        },
        'actors/actor/room.c': {
            'room_wanted_is_not_said': [
                ('atomic_store_explicit(&receiver->room_wanted, true, memory_order_relaxed);', '')],
            'listed_without_a_call': [
                ('uint64_t before = cedei_mailbox_signal(&receiver->mailbox);', 'uint64_t before = 0;')],
            'called_before_listed': [
                ('cedei_mutex_lock(&room->lock); bool is_there = cedei_room_is_for(receiver, generation);',
                 'uint64_t before = cedei_mailbox_signal(&receiver->mailbox); '
                 'cedei_mutex_lock(&room->lock); bool is_there = cedei_room_is_for(receiver, generation);'),
                ('uint64_t before = cedei_mailbox_signal(&receiver->mailbox); if (before &', 'if (before &')],
        },
        'actors/actor/lane.c': {
            'lane_without_a_call': [('uint64_t before = cedei_mailbox_signal(&actor->mailbox);', 'uint64_t before = 0;')],
            'lane_is_not_announced': [
                ('lane->count++; cedei_room_announce(actor, generation);', 'lane->count++;')],
            'lane_whoever_lives_there': [('if (!cedei_room_is_for(actor, generation)) r = CEDE_ENOACTOR; else if',
                                          'if')],
        },
        'actors/actor/wait.h': {
            'deadline_before_its_wait': [
                ('atomic_store_explicit(&self->deadline_sequence, sequence, memory_order_release);', ''),
                ('atomic_store_explicit(&self->deadline_ns, deadline_ns, memory_order_seq_cst);',
                 'atomic_store_explicit(&self->deadline_ns, deadline_ns, memory_order_seq_cst); '
                 'atomic_store_explicit(&self->deadline_sequence, sequence, memory_order_release);')],
            'deadline_is_not_cleared': [('atomic_store_explicit(&self->deadline_ns, UINT64_MAX, '
                                         'memory_order_release);', '(void)self;')],
        },
    },
    'job': {
        'core/sync/jobstate.h': {
            'withdrawn_runs_all_the_same': [('bool runs = cedei_jobstate_phase(word) == CEDEI_JOB_QUEUED;',
                                             'bool runs = cedei_jobstate_phase(word) != CEDEI_JOB_OUT;')],
            'drop_forgets_that_it_runs': [('return runs ? CEDEI_JOB_NONE_MINE : CEDEI_JOB_MESSAGE_MINE;',
                                           'return CEDEI_JOB_MESSAGE_MINE;')],
            'await_of_what_has_ended': [('if (phase == CEDEI_JOB_OUT || phase == CEDEI_JOB_WITHDRAWN) return false;',
                                         'if (phase == CEDEI_JOB_WITHDRAWN) return false;')],
        },
        'actors/actor/job.c': {
            'result_after_the_end': [
                ('job->result = result; job_leave(system, worker, place); '
                 'uint64_t before = cedei_jobstate_end(&job->state);',
                 'job_leave(system, worker, place); uint64_t before = cedei_jobstate_end(&job->state); '
                 'job->result = result;')],
            'owner_is_not_woken': [('} else if (sequence != 0) {', '} else if (0) { (void)sequence;')],
        },
        'core/sched/gate.c': {
            'look_before_the_leave': [
                ('atomic_fetch_sub_explicit(&gate->inside, 1, memory_order_seq_cst); '
                 'if (CEDEI_LIKELY(!has_line(gate))) return false;',
                 'bool line = has_line(gate); atomic_fetch_sub_explicit(&gate->inside, 1, memory_order_seq_cst); '
                 'if (!line) return false;')],
            'line_up_without_a_look': [('bool is_in = is_first && room_take(gate);',
                                        'bool is_in = false; (void)is_first;')],
        },
    },
}

# Orders that are stronger than any execution can show to be needed, and why they stand: (file, place, weaker orders):
# reason. A place is "function: call of object", as the table has it. --weaken fails for a place that is neither caught nor
# listed here, and for one that is listed and caught. What is listed is weakened further, until it is caught or relaxed.
QUEUE, BOX, SCHED, SUBMIT = 'core/sync/runqueue.h', 'core/sync/mailbox.h', 'core/sched/sched.c', 'core/sched/sched.h'
ACTOR, WAIT = 'actors/actor/actor.h', 'actors/actor/wait.c'
JOB, GATE = 'core/sync/jobstate.h', 'core/sched/gate.c'
WATCH = 'core/sched/watch.c'
PARK, INTERNAL = 'core/sched/park.c', 'core/sched/sched_internal.h'
HEAD = ('whoever reads `head` and `tail` at different times finds out: more than the capacity, or an exchange that fails; '
        'what it takes was published by `tail`')
OWN = 'its owner takes back what it put there itself, and leaves nothing to be read'
ALONE = 'for a worker that is alone, as none is here: it orders plain stores before the lookout shares what they are about'
FENCE = 'the fences of the sleeper and of whoever adds work order it; kept for a reader, on a cold path'
EITHER = 'the load and the exchange both acquire, and one is enough'
SUBMITTED = 'whoever ends a rest or a wait submits the task, and the submission publishes'
UNNEEDED = {
    ('actors/share/notify.c', 'notify_one_lined: fetch_or of notify->word', 'relaxed'):
        'only where two calls become one, and no claim can say which of them was taken',
    (QUEUE, 'cedei_runqueue_count: load of queue->head', 'relaxed'): FENCE,
    (QUEUE, 'cedei_runqueue_count: load of queue->tail', 'relaxed'): FENCE,
    (QUEUE, 'cedei_runqueue_pop: load of queue->head', 'relaxed'): HEAD,
    (QUEUE, 'cedei_runqueue_pop: compare_exchange_weak of queue->head', 'acquire release relaxed'):
        'entries that the owner takes it also overwrites itself',
    (QUEUE, 'cedei_runqueue_pop: compare_exchange_weak of queue->head on failure', 'relaxed'): HEAD,
    (QUEUE, 'cedei_runqueue_take_half: load of queue->head', 'relaxed'): HEAD,
    (QUEUE, 'cedei_runqueue_take_half: load of queue->head #2', 'relaxed'): HEAD,
    (QUEUE, 'cedei_runqueue_take_half: compare_exchange_weak of queue->head', 'release'): HEAD,
    (QUEUE, 'cedei_runqueue_take_half: compare_exchange_weak of queue->head on failure', 'relaxed'): HEAD,
    (BOX, 'cedei_mailbox_push_first: compare_exchange_strong of mailbox->word', 'acquire'): SUBMITTED,
    (BOX, 'cedei_mailbox_claim: compare_exchange_weak of mailbox->word', 'acquire'): SUBMITTED,
    (JOB, 'cedei_jobstate_submit: store of state->word', 'relaxed'): SUBMITTED,
    (JOB, 'cedei_jobstate_begin: load of state->word', 'relaxed'): EITHER,
    (JOB, 'cedei_jobstate_begin: compare_exchange_weak of state->word', 'release'): EITHER,
    (JOB, 'cedei_jobstate_begin: compare_exchange_weak of state->word on failure', 'relaxed'): EITHER,
    (JOB, 'cedei_jobstate_await: compare_exchange_weak of state->word', 'release'): EITHER,
    (JOB, 'cedei_jobstate_withdraw: load of state->word', 'relaxed'): EITHER,
    (JOB, 'cedei_jobstate_withdraw: compare_exchange_weak of state->word', 'acquire release relaxed'):
        'the executor has touched nothing yet, and touches nothing of what it finds withdrawn',
    (JOB, 'cedei_jobstate_withdraw: compare_exchange_weak of state->word on failure', 'relaxed'): EITHER,
    (JOB, 'cedei_jobstate_drop: compare_exchange_weak of state->word', 'release'): EITHER,
    (GATE, 'room_take: compare_exchange_weak of gate->inside', 'acq_rel acquire release relaxed'):
        'the load before it is the look that counts',
    (GATE, 'room_take: compare_exchange_weak of gate->inside on failure', 'acquire relaxed'):
        'a failure means that another came or went, who has looked too',
    (SUBMIT, 'cedei_worker_next_lifo: exchange of worker->lifo', 'acquire release relaxed'): OWN,
    (SUBMIT, 'cedei_worker_next_lifo: store of worker->taken', 'relaxed'): ALONE,
    ('core/sched/sched_internal.h', 'cedei_choice_end: store of worker->taken', 'relaxed'): ALONE,
    ('core/sched/queue.c', 'lifo_put_alone: store of worker->lifo', 'relaxed'): ALONE,
    ('core/sched/queue.c', 'lifo_put_alone: store of worker->putting', 'relaxed'): ALONE,
    (INTERNAL, 'cedei_added_work_fence: fetch_or of sched->idle', 'acq_rel acquire release relaxed'):
        'only in builds for ThreadSanitizer, in place of the fence',
    (INTERNAL, 'cedei_lifo_take: exchange of worker->lifo', 'acquire'): OWN,
    (INTERNAL, 'cedei_is_stopping: load of sched->stopping', 'relaxed'): 'nothing but the flag itself is published',
    (PARK, 'cedei_worker_wake: fetch_and of sched->idle', 'acq_rel acquire release relaxed'): FENCE,
    (PARK, 'cedei_worker_wake: fetch_add of sched->searching', 'acq_rel acquire release relaxed'): FENCE,
    (PARK, 'cedei_worker_wake: exchange of worker->parked', 'acquire release relaxed'): FENCE,
    (PARK, 'park: compare_exchange_strong of worker->parked', 'acquire release relaxed'): FENCE,
    (PARK, 'park: compare_exchange_strong of worker->parked on failure', 'relaxed'): FENCE,
    (PARK, 'wake_await: compare_exchange_strong of worker->parked', 'acquire release relaxed'): FENCE,
    (PARK, 'wake_await: compare_exchange_strong of worker->parked on failure', 'relaxed'): FENCE,
    (PARK, 'idle_set: store of worker->parked', 'relaxed'): FENCE,
    (PARK, 'idle_set: fetch_or of worker->sched->idle', 'acq_rel acquire release relaxed'): FENCE,
    (PARK, 'idle_clear: fetch_and of worker->sched->idle', 'acq_rel acquire release relaxed'): FENCE,
    (PARK, 'is_parked: load of worker->parked', 'relaxed'): FENCE,
    (PARK, 'cedei_worker_sleep: store of sched->timekeeper', 'relaxed'): FENCE,
    (PARK, 'timekeeper_become: compare_exchange_strong of worker->sched->timekeeper', 'acq_rel acquire release relaxed'):
        'who sets a timer and sees no keeper wakes one, behind a fence',
    ('core/sched/timer.h', 'cedei_wheel_next_ns: load of wheel->next_ns', 'acquire relaxed'): FENCE,
    (WATCH, 'cedei_asleep_until_set: store of worker->asleep_until_ns', 'release relaxed'):
        'who sees the bit in `idle` has acquired "for ever", which was stored before it',
    (WATCH, 'asleep_until: load of worker->asleep_until_ns', 'acquire relaxed'):
        'who sees the bit in `idle`, or the keeper, has acquired "for ever", which was stored before it',
    (WATCH, 'is_idle: load of sched->idle', 'acquire relaxed'):
        'who misses the bit looks for the keeper, or wakes one behind a fence',
    (WATCH, 'wheel_watch: load of sched->timekeeper', 'acquire relaxed'):
        'who misses the keeper wakes one, behind a fence',
    ('core/sched/steal.c', 'cedei_search_join: fetch_add of worker->sched->searching', 'acq_rel acquire release relaxed'): FENCE,
    ('core/sched/steal.c', 'cedei_search_end: fetch_sub of sched->searching',
     'acq_rel acquire release relaxed'): FENCE,
    ('core/sched/queue.c', 'lifo_put: exchange of worker->lifo', 'release'): OWN,
    (SCHED, 'threads_stop: store of sched->stopping', 'release relaxed'):
        'the exchange of `idle` behind it publishes it to whoever marks itself idle later',
    (ACTOR, 'cedei_signals_of: load of actor->identity', 'acquire relaxed'):
        'a signal is followed by SIGNAL in the mailbox, and whoever takes that sees it',
    ('actors/actor/turn.c', 'turn_run: load of self->identity', 'acquire relaxed'):
        'a signal is followed by SIGNAL in the mailbox, and whoever takes that sees it',
    ('actors/actor/wait.h', 'cedei_wait_deadline_clear: store of self->deadline_ns', 'relaxed'):
        'the release of the next sequence, behind it, publishes it',
    ('actors/actor/wait.h', 'cedei_wait_fetch: load of self->wait', 'relaxed'):
        'whoever comes here was woken: it has acquired the word before, or was submitted',
    ('actors/actor/wait.h', 'cedei_wait_is_woken: load of self->wait', 'relaxed'): 'the fetch behind it acquires',
    (WAIT, 'cedei_wait_withdraw: compare_exchange_strong of self->wait', 'relaxed'): 'the word is the actor\'s own',
    (WAIT, 'cedei_wait_withdraw: compare_exchange_strong of self->wait on failure', 'relaxed'):
        'the fetch behind it acquires',
    (ACTOR, 'cedei_wait_begin: store of self->wait', 'relaxed'):
        'only to readers of a chain of waits, which would take a hop of an earlier wait for one of this'
        ' one',
    ('core/sync/mailbox.h', 'cedei_mailbox_rest: compare_exchange_strong of mailbox->word', 'acq_rel release'):
        'who waits for room leaves SIGNAL in the same word, so no second word has to be seen in order',
    (ACTOR, 'cedei_room_find: load of actor->room', 'acquire relaxed'):
        'it publishes the lock alone, which in the model is the explorer\'s own',
    ('actors/actor/room.c', 'cedei_room_make: compare_exchange_strong of actor->room on failure', 'acquire relaxed'):
        'it publishes the lock alone, which in the model is the explorer\'s own',
    (WAIT, 'cedei_wait_interrupt: compare_exchange_weak of actor->wait', 'acquire'): SUBMITTED,
    (WAIT, 'park: compare_exchange_strong of self->wait on failure', 'relaxed'):
        'the fetch of the turn that is submitted acquires',
}

# Loops that only repeat themselves are shortened in the numbered copies.
SHRUNK = {
    'core/sched/steal.c': [('SEARCH_SPINS = 100', 'SEARCH_SPINS = 1')],
}

UNNEEDED_BY = {(path, place, weaker): ((path, place, orders), reason)
               for (path, place, orders), reason in UNNEEDED.items() for weaker in orders.split()}

CALL = re.compile(r'\batomic_(?:(\w+)_explicit|thread_(fence))\s*\(')
ORDERS = {'relaxed': 0, 'acquire': 2, 'release': 3, 'acq_rel': 4, 'seq_cst': 5}
FUNCTION = re.compile(r'^[A-Za-z_][\w \t*()]*?\b(\w+)\([^;]*$', re.M)


def weaker_orders(call, order, is_failure):
    """The orders one step below that the call may have."""
    if order in ('acquire', 'release'):
        return ['relaxed']
    if call == 'load' or is_failure:
        return ['acquire']
    if call == 'store':
        return ['release']
    return ['acq_rel'] if order == 'seq_cst' else ['acquire', 'release']


def blank_comments(text):
    """The text with comments and strings blanked, at the same offsets."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
                  lambda m: re.sub(r'[^\n]', ' ', m.group(0)), text, flags=re.S)


def closing(text, start):
    depth = 0
    for offset in range(start, len(text)):
        depth += (text[offset] == '(') - (text[offset] == ')')
        if depth == 0:
            return offset
    raise ValueError('a bracket is not closed')


def function_at(code, offset):
    name = '?'
    for match in FUNCTION.finditer(code, 0, offset):
        name = match.group(1)
    return name


class Sites:
    """The numbered places, and the rows of their table."""

    def __init__(self):
        self.rows = []
        self.count = 0
        self.used = set()

    def add(self, path, line, place, call, order, is_failure):
        waiting = weaker_orders(call, order, is_failure)
        while waiting:
            weaker = waiting.pop(0)
            key, reason = UNNEEDED_BY.get((path, place, weaker), (None, None))
            text = 'NULL'
            if reason is not None:
                text = '"' + reason.replace('"', '\\"') + '"'
                self.used.add(key)
                if weaker != 'relaxed':
                    waiting += [w for w in weaker_orders(call, weaker, is_failure) if w not in waiting]
            self.rows.append(f'    {{"{path}", {line}, "{place}", {ORDERS[order]}, {ORDERS[weaker]}, '
                             f'{self.count}, {text}}},\n')
        self.count += 1

    def number(self, path, text):
        """The text with numbered orders."""
        code = blank_comments(text)
        edits, places = [], {}
        for match in CALL.finditer(code):
            call = match.group(1) or match.group(2)
            start, end = match.end(), closing(code, match.end() - 1)
            what = '' if call == 'fence' else ' of ' + re.sub(r'\s+', '', code[start:end].split(',')[0]).lstrip('&')
            for index, order in enumerate(re.finditer(r'\bmemory_order_(\w+)\b', code[start:end])):
                if order.group(1) == 'relaxed':
                    continue
                place = f'{function_at(code, start)}: {call}{what}' + (' on failure' if index else '')
                places[place] = places.get(place, 0) + 1
                if places[place] > 1:
                    place += f' #{places[place]}'
                line = code.count('\n', 0, start + order.start()) + 1
                edits.append((start + order.start(), start + order.end(),
                              f'MODEL_ORDER({self.count}, {order.group(0)})'))
                self.add(path, line, place, call, order.group(1), index > 0)
        for begin, end, replacement in reversed(edits):
            text = text[:begin] + replacement + text[end:]
        return text


def number(folder, table, root, paths):
    sites = Sites()
    shutil.rmtree(folder, ignore_errors=True)  # nothing of an earlier version stays
    for path in paths:
        with open(os.path.join(root, path), encoding='utf-8') as file:
            text = sites.number(path, replaced(path, file.read(), SHRUNK.get(path, [])))
        output = os.path.join(folder, path)
        os.makedirs(os.path.dirname(output), exist_ok=True)
        with open(output, 'w', encoding='utf-8') as file:
            file.write(f'#line 1 "{path}"\n' + text)
    gone = [key for key in UNNEEDED if key not in sites.used]
    for key in gone:
        print(f'mutate.py: listed as not needed, but there is no such order: {key}', file=sys.stderr)
    with open(table, 'w', encoding='utf-8') as file:
        file.write('/* Generated by mutate.py: the places in the source where an order could be weaker. */\n'
                   f'enum {{ MODEL_SITE_IDS = {sites.count} }};\n'
                   'static const struct model_site MODEL_SITES[] = {\n' + ''.join(sites.rows) + '};\n')
    return 1 if gone else 0


def pattern(text):
    return r'\s+'.join(re.escape(word) for word in text.split())


def replaced(name, content, changes):
    for text, replacement in changes:
        content, count = re.subn(pattern(text), lambda _, new=replacement: new, content)
        if count != 1:
            raise SystemExit(f'mutate.py: {name}: the text to be changed is there {count} times: {text}')
    return content


def plant(name, root, folder, stamp):
    found = [(path, mutants[name]) for files in MUTANTS.values() for path, mutants in files.items() if name in mutants]
    (path, changes), = found
    with open(os.path.join(root, path), encoding='utf-8') as file:
        content = replaced(name, file.read(), SHRUNK.get(path, []) + changes)
    output = os.path.join(folder, path)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with open(output, 'w', encoding='utf-8') as file:
        file.write(content)
    with open(stamp, 'w', encoding='utf-8') as file:
        file.write(f'/* Generated by mutate.py. */\n#define MODEL_MUTANT "{name}"\n')
    return 0


def main():
    arguments = sys.argv[1:]
    if arguments == ['list']:
        for test, files in MUTANTS.items():
            for path, mutants in files.items():
                print('\n'.join(f'{test} {path} {name}' for name in mutants))
        return 0
    if arguments[:1] == ['number'] and len(arguments) > 4:
        return number(arguments[1], arguments[2], arguments[3], arguments[4:])
    if arguments[:1] == ['plant'] and len(arguments) == 5:
        return plant(*arguments[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
