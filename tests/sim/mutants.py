#!/usr/bin/env python3
"""mutants.py - how much the simulator sees: mistakes are planted in Cede, one at a time, and each must be found.

usage: mutants.py BUILD-FOLDER [--seeds N] [--jobs N] [NAME...]
    For each mutant the file is copied with the mistake planted, what includes it is compiled anew and linked with the workload
    test in place of the original, and run until a seed fails. A text that is not there exactly once is a failure, too: the
    mutant has to be brought up to date. Without names: all. The last line is `counted: <found> <not found>`.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = {name: f"tests/sim/sim_{name}_test" for name in ("workload", "share", "orders", "ends", "duty")}

# name: (file, [(text, replacement)...]), the test if it is not the workload, and seeds at least; blanks match any blanks.
MUTANTS = {
    # workers that go off duty
    "off_duty_keeps_its_slot": ("core/sched/spare.c", [
        ("struct cedei_task *task = cedei_lifo_take(worker); worker->running = NULL; if (task == NULL) task",
         "struct cedei_task *task = NULL; worker->running = NULL; task")]),
    "off_duty_wakes_nobody": ("core/sched/spare.c", [
        ("cedei_sched_wake_one(sched); /* for what we hand over, and for whatever we were woken for */", "")]),
    "alone_beside_one_that_leaves": ("core/sched/spare.c", [
        ("if (duty_of(&sched->workers[i]) > CEDEI_DUTY_OFF) return;", "")]),
    "slot_is_read_before_the_choice": ("core/sched/sched.h", [
        ("if (atomic_load_explicit(&worker->lifo, memory_order_relaxed) == NULL) return NULL;",
         "struct cedei_task *seen = atomic_load_explicit(&worker->lifo, memory_order_relaxed); if (seen == NULL) return NULL;"),
        ("task = atomic_load_explicit(&worker->lifo, memory_order_relaxed); atomic_store_explicit(&worker->lifo, NULL",
         "task = seen; atomic_store_explicit(&worker->lifo, NULL")], "duty", 20000),
    "slot_that_was_emptied_is_filled_twice": ("core/sched/queue.c", [
        ("return is_alone; }", "return is_alone && *before != NULL; }")], "duty", 20000),
    "alone_when_others_come_back": ("core/sched/spare.c", [
        ("if (!sched->may_be_alone || sched->lookout.own_shared) return true;", "return true;")]),
    # messages and mailboxes
    "stale_ref_is_accepted": ("actors/actor/send.c", [
        ("if (CEDEI_UNLIKELY(cedei_generation_of(actor) != to.generation)) return send_undo", "if (0) return send_undo")]),
    "rest_without_compare": ("core/sync/mailbox.h", [
        ("if (CEDEI_LIKELY(atomic_compare_exchange_strong_explicit( &mailbox->word, &expected, flag,",
         "expected = atomic_load_explicit(&mailbox->word, memory_order_relaxed); "
         "if (CEDEI_LIKELY(atomic_compare_exchange_strong_explicit( &mailbox->word, &expected, flag,")]),
    "full_keeps_the_message": ("actors/actor/send.c", [
        ("cedei_msg_own_by_turn(self, msg); *body = cedei_msg_body(msg); return r;",
         "if (r != CEDE_EFULL) { cedei_msg_own_by_turn(self, msg); *body = cedei_msg_body(msg); } return r;")]),
    "append_loses_what_waits": ("actors/actor/turn.c", [
        ("if (self->pending == NULL) self->pending = oldest; else self->pending_last->next = oldest;",
         "self->pending = oldest;")]),
    "lane_is_overlooked_by_recv": ("actors/actor/wait.c", [
        ("} while (msg == NULL && cedei_turn_fetch(self));",
         "} while (0); if (msg == NULL && cedei_turn_fetch(self)) msg = pending_find(self, type);")], "orders"),
    "room_waiter_is_not_woken": ("actors/actor/room.c", [
        ("if (CEDEI_LIKELY(worker != NULL)) /* else the system ends, and nobody runs any more */", "if (worker == NULL)")]),
    # ownership
    "kept_messages_are_not_dropped": ("actors/actor/msg.c", [
        ("if (self->kept_list != NULL) drop_list(self, &self->kept_list);", "")]),
    "late_reply_is_lost": ("actors/actor/life.c", [
        ("if ((woken & 3) == CEDEI_WAIT_WOKEN) late_value_drop(self, woken & ~(uint64_t)3);", "")]),
    "drop_is_not_counted": ("actors/actor/msg.c", [
        ("if (CEDEI_UNLIKELY(msg->reply.sequence != 0)) request_refuse_slow(system, worker, msg, reason);",
         "if (CEDEI_UNLIKELY(msg->reply.sequence != 0)) { request_refuse_slow(system, worker, msg, reason); "
         "cedei_tally(system, worker, msg->type, CEDEI_TALLY_DROPPED); }")]),
    # asks
    "dropped_request_tells_nobody": ("actors/actor/msg.c", [
        ("(void)cedei_answer(system, worker, back, NULL, reason); /* the asker may be gone too */",
         "(void)system; (void)worker; (void)back; (void)reason;")]),
    "reply_to_another_tenant": ("actors/actor/ask.c", [
        ("if (!cedei_wait_wake(system, worker, asker, back.sequence, value)) return CEDE_ENOACTOR;",
         "if (!cedei_wait_wake(system, worker, asker, asker->sequence, value)) return CEDE_ENOACTOR;")]),
    "unwanted_reply_is_not_dropped": ("actors/actor/ask.c", [
        ("cedei_sent_count(self->system, self->worker, msg->type); cedei_msg_dead_letter(self->system, self->worker, msg, reason);",
         "cedei_sent_count(self->system, self->worker, msg->type); (void)reason;")]),
    "deadline_is_not_inherited": ("actors/actor/ask.c", [
        ("if (CEDEI_UNLIKELY(cedei_turn_may_inherit(self)) && !deadline_inherit(self, &deadline_ns))",
         "if (0 && !deadline_inherit(self, &deadline_ns))")]),
    # waits
    "wake_before_the_parking_is_lost": ("actors/actor/wait.c", [
        ("(void)cedei_sched_submit(&system->sched, worker, &self->task); /* woken before it was parked */", "")]),
    "wait_ends_early": ("actors/actor/wait.c", [("if (deadline_ns > cedei_clock_now_ns()) {", "if (0) {")]),
    "wake_submits_twice": ("actors/actor/actor.h", [
        ("if (word == parked) (void)cedei_sched_submit(&system->sched, worker, &actor->task);",
         "(void)cedei_sched_submit(&system->sched, worker, &actor->task);")]),
    "recv_without_second_look": ("actors/actor/wait.c", [
        ("if (is_recv && !cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV)) "
         "cedei_wait_wake(system, worker, self, sequence, cedei_wake_code(CEDE_OK));",
         "if (is_recv) (void)cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV);")]),
    # life
    "stop_is_ignored_while_suspended": ("actors/actor/life.c", [
        ("if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) (void)cedei_receiver_wake",
         "if (before & CEDEI_MAILBOX_IDLE) (void)cedei_receiver_wake")]),
    "links_end_before_the_news": ("actors/actor/watch.c", [
        ("if (!watch->is_link) down_send(self, watch, obituary);",
         "if (!watch->is_link) down_send(self, watch, obituary); "
         "else if (!watch->trapped && !watch->is_cause && is_failure(self, obituary)) "
         "cedei_life_link_end(self->system, self->worker, watch->watcher);")], "ends"),
    "kill_is_ignored_while_suspended": ("actors/actor/turn.c", [
        ("if (CEDEI_UNLIKELY(signals & CEDEI_SIGNAL_KILL)) return lease_abandon", "if (0) return lease_abandon"),
        ("lease == NULL || CEDEI_UNLIKELY(cedei_signals_of(self) & CEDEI_SIGNAL_KILL)", "lease == NULL")]),
    "down_comes_twice": ("actors/actor/watch.c", [
        ("if (!watch->is_link) down_send(self, watch, obituary);",
         "if (!watch->is_link) { "
         "cedei_down_deliver(self->system, watch->watcher, obituary->actor, obituary->reason); "
         "down_send(self, watch, obituary); }")]),
    "down_before_the_end": ("actors/actor/life.c", [
        ("generation_advance(self); cedei_watchers_tell(self, &obituary);",
         "cedei_watchers_tell(self, &obituary); generation_advance(self);")]),
    "reason_is_overwritten": ("actors/actor/turn.c", [
        ("cedei_turn_end(self, r == CEDE_STOP ? CEDE_OK : r);", "cedei_turn_end(self, CEDE_OK);")]),
    "end_forgets_the_cleanups": ("actors/actor/extra.c", [
        ("cedei_cleanups_run(self, CEDEI_FRAME_TOP());", ";")]),
    # timers
    "timer_is_early": ("core/sched/timer.c", [
        ("return tick_of(expires_ns) + (expires_ns != ns_of(tick_of(expires_ns)));", "return tick_of(expires_ns);")]),
    "timer_name_is_not_compared": ("core/sched/timer.c", [
        ("post->timer.generation == name.generation && linked_get(&post->timer)", "linked_get(&post->timer)")]),
    "cancelled_timer_fires": ("core/sched/timer.c", [
        ("r = agree != NULL ? agree(&post->cargo, context) : CEDE_OK; if (r == CEDE_OK) { timer_unset(&post->timer);",
         "r = agree != NULL ? agree(&post->cargo, context) : CEDE_OK; if (r == CEDE_OK) { *out = post->cargo; "
         "cedei_mutex_unlock(&wheel->lock); return r;")]),
    "timer_wakes_nobody": ("core/sched/watch.c", [
        ("if (cedei_timer_add(wheel, timer, expires_ns)) wheel_watch(sched, wheel);",
         "if (cedei_timer_add(wheel, timer, expires_ns)) (void)wheel_watch;")]),
    # jobs and the pool
    "cancelled_job_has_no_result": ("actors/actor/job.c", [
        ("if (cedei_jobstate_withdraw(&job->state)) job->result = CEDE_ECANCELED;",
         "(void)cedei_jobstate_withdraw(&job->state);")]),
    "withdrawn_job_runs": ("core/sync/jobstate.h", [
        ("bool runs = cedei_jobstate_phase(word) == CEDEI_JOB_QUEUED;",
         "bool runs = cedei_jobstate_phase(word) != CEDEI_JOB_OUT && (word & CEDEI_JOB_DROPPED) == 0;")]),
    "job_end_wakes_nobody": ("actors/actor/job.c", [
        ("cedei_wait_wake(system, worker, actor, sequence, cedei_wake_code(CEDE_OK)); } } "
         "/* Taken off a queue", "(void)actor; } } /* Taken off a queue")]),
    "pool_forgets_who_was_coming": ("core/sched/pool.c", [
        ("pool->coming--; /* and has counted us */", "")]),
    # workers
    "look_before_marked_idle": ("core/sched/park.c", [
        ("idle_set(worker); cedei_added_work_fence(",
         "bool waits = cedei_queues_have_work(sched); idle_set(worker); cedei_added_work_fence("),
        ("bool waits = cedei_queues_have_work(sched); if (!waits &&", "if (!waits &&")]),
    "waker_forgets_to_wake": ("core/sched/park.c", [("cedei_futex_wake(&worker->parked, 1);", "{}")]),
    "thief_drops_a_task": ("core/sched/steal.c", [
        ("for (uint32_t i = 1; i < count; i++) cedei_queue_push", "for (uint32_t i = 2; i < count; i++) cedei_queue_push")]),
    # what is shared
    "dead_holder_keeps_its_permits": ("actors/share/semaphore.c", [
        ("cedei_permits_give(&((cede_semaphore *)object)->permits, count);", "(void)object; (void)count;")], "share"),
    "shortage_keeps_the_permits": ("actors/share/semaphore.c", [
        ("cedei_permits_give(&semaphore->permits, count); return CEDE_ENOMEM;", "return CEDE_ENOMEM;")], "share"),
    "dead_holder_keeps_the_lock": ("actors/share/async_mutex.c", [
        ("cedei_permits_poison(&((cede_async_mutex *)object)->permits, count);", "(void)object; (void)count;")], "share"),
}


class Outdated(Exception):
    """The text of a mutant is not there any more."""


def planted(path, changes):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        pattern = r"\s+".join(re.escape(word) for word in old.split())
        found = len(re.findall(pattern, text))
        if found != 1:
            raise Outdated(f"{path}: this text is there {found} times, not once: {old}")
        text = re.sub(pattern, lambda _, new=new: new, text)
    return text


def ninja(build, *arguments):
    return subprocess.run(["ninja", "-C", build, *arguments], capture_output=True, text=True, check=True).stdout


class Plan:
    """How the parts of the program are compiled and linked, as ninja has it."""

    def __init__(self, build):
        self.build = build
        commands = {name: ninja(build, "-t", "commands", path).splitlines() for name, path in PROGRAMS.items()}
        self.compile = {}
        for line in commands["workload"]:
            source = re.search(r" -o (libcede-sim\.a\.p/\S+) -c (\S+)$", line)
            if source:
                path = os.path.relpath(os.path.normpath(os.path.join(build, source.group(2))), ROOT)
                self.compile[path] = (line, source.group(1))
        self.link = {name: lines[-1] for name, lines in commands.items()}
        self.includers = {}
        for path, (_, output) in self.compile.items():
            for dependency in ninja(build, "-t", "deps", output).splitlines()[1:]:
                used = os.path.relpath(os.path.normpath(os.path.join(build, dependency.strip())), ROOT)
                self.includers.setdefault(used, set()).add(path)

    def make(self, name, path, changes, test="workload"):
        """The program with the mistake; its path."""
        folder = os.path.join(self.build, "sim-mutants", name)
        copy = os.path.join(folder, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as file:
            file.write(planted(path, changes))
        objects = []
        for source in sorted(self.includers[path]) if path.endswith(".h") else [path]:
            command, output = self.compile[source]
            made = os.path.join(folder, os.path.basename(output))
            given = copy if source == path else os.path.join(ROOT, source)
            command = command.replace(f" -o {output} ", f" -o {made} ").replace(" -Werror ", " -w ").replace(" -O2 ", " -O1 ")
            command = re.sub(r" -M[QF] \S+| -MD", "", command)
            command = re.sub(r" -c \S+$", f" -iquote {folder} -c {given}", command)
            subprocess.run(command, shell=True, cwd=self.build, check=True, capture_output=True, text=True)
            objects.append(made)
        program = os.path.join(folder, "test")
        link = re.sub(r" -o \S+ ", f" -o {program} {' '.join(objects)} ", self.link[test], count=1)
        subprocess.run(link, shell=True, cwd=self.build, check=True, capture_output=True, text=True)
        return program


def hunt(plan, name, seeds):
    """(found, line to print)."""
    file, changes, test, least = (*MUTANTS[name], "workload", 0)[:4] if len(MUTANTS[name]) == 2 else (*MUTANTS[name], 0)[:4]
    seeds = max(seeds, least)
    try:
        program = plan.make(name, file, changes, test)
    except Outdated as outdated:
        return False, f"OUTDATED {name}: {outdated}"
    except subprocess.CalledProcessError as failed:
        return False, f"BROKEN   {name}: does not compile:\n{failed.stderr[:1500]}"
    environment = dict(os.environ, CEDE_TEST_SEEDS=str(seeds), CEDE_SIM_SHRINK="0")
    begin = time.monotonic()
    try:
        done = subprocess.run([program], capture_output=True, text=True, errors="replace", env=environment, check=False,
                              timeout=240)
    except subprocess.TimeoutExpired:
        return False, f"MISSED   {name}: no end"
    found = re.search(r"cede_sim: '(\w+)' does not hold with seed (\d+):\n  (.*)", done.stderr)
    took = time.monotonic() - begin
    if done.returncode == 0 or not found:
        return False, f"MISSED   {name}: {seeds} seeds hold ({took:.1f} s)"
    return True, f"found    {name}: {found.group(1)}, seed {found.group(2)} ({took:.1f} s): {found.group(3)[:110]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", metavar="BUILD-FOLDER")
    parser.add_argument("--seeds", type=int, default=1000, help="of each of the workload's three forms, at most (1000)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    build = os.path.abspath(options.build)
    unknown = [name for name in options.names if name not in MUTANTS]
    if unknown:
        sys.exit(f"no mutant is named {unknown[0]}")
    names = options.names or list(MUTANTS)
    ninja(build, *PROGRAMS.values())
    plan = Plan(build)
    found = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for good, line in pool.map(lambda name: hunt(plan, name, options.seeds), names):
            found += good
            print(line, flush=True)
    for old in glob.glob(os.path.join(build, "sim-mutants", "*", "test")):
        os.remove(old)
    print(f"counted: {found} {len(names) - found}")
    return 0 if found == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
