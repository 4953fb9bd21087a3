/* letter.c - dead letters: counted by reason, shown to the program, and one a second to the log.
 * Owns the system's counts of them. The message is still whole; whoever calls drops it afterwards. */
#include <cede/system.h>

#include "actors/actor/actor.h"
#include "actors/actor/lane.h"
#include "core/sys/clock.h"

enum { TEXT_MAX = 256 };
#define LOG_EVERY_NS 1000000000u

static cede_ref ref_of(cede_system *system, uint32_t slot, uint32_t generation) {
    return (cede_ref){.node = system->uid, .slot = slot, .generation = generation};
}

/* To whom, from whom, as far as the header still says it. */
CEDEI_NO_TSAN static void letter_address(struct cede_self *receiver, const struct cedei_msg *msg,
                                         struct cede_dead_letter *letter) {
    cede_system *system = receiver->system;
    uint32_t generation = cedei_msg_tag(msg) & CEDEI_GENERATION_MAX;
    letter->to = ref_of(system, receiver->slot, generation);
    const cede_behaviour *behaviour = receiver->behaviour;
    if (generation == cedei_generation_of(receiver) && behaviour != NULL)
        letter->to_name = behaviour->name;
    uint32_t sender = cedei_msg_sender(msg);
    struct cede_self *from = sender != UINT32_MAX ? cedei_table_slot(system, sender) : NULL;
    if (from != NULL) letter->from = ref_of(system, sender, cedei_generation_of(from));
}

/* What a full mailbox gives up is worth a warning; the rest happens whenever actors end. */
static enum cede_log_level level_of(cede_result reason) {
    return reason == CEDE_EFULL ? CEDE_LOG_WARNING : CEDE_LOG_INFO;
}

/* One thread each second. */
static bool log_is_due(cede_system *system) {
    uint64_t now_ns = cedei_clock_now_ns();
    /* relaxed (both): only who is first matters. */
    uint64_t last_ns = atomic_load_explicit(&system->dead_letter_logged_ns, memory_order_relaxed);
    if (last_ns != 0 && now_ns - last_ns < LOG_EVERY_NS) return false;
    return atomic_compare_exchange_strong_explicit(&system->dead_letter_logged_ns, &last_ns, now_ns,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static CEDEI_NOINLINE void letter_log(cede_system *system, const struct cede_dead_letter *letter,
                                      uint64_t count) {
    char text[TEXT_MAX];
    (void)cede_message_print(letter->type, letter->message, text, sizeof text);
    cedei_log_line(
        &system->log, level_of(letter->reason),
        "dead letter, one of %llu for this reason (%s: %s): %s from (%u:%u) to '%s' (%u:%u)",
        (unsigned long long)count, cede_result_name(letter->reason),
        cede_result_text(letter->reason), text, letter->from.slot, letter->from.generation,
        letter->to_name, letter->to.slot, letter->to.generation);
}

void cedei_dead_letter_tell(cede_system *system, struct cede_self *receiver, struct cedei_msg *msg,
                            cede_result reason) {
    uint32_t index = (uint32_t)reason % CEDE_DEAD_LETTER_REASONS;
    /* relaxed: a number. */
    uint64_t count =
        atomic_fetch_add_explicit(&system->dead_letters[index], 1, memory_order_relaxed) + 1;
    bool is_logged = level_of(reason) <= system->log.level && log_is_due(system);
    if (CEDEI_LIKELY(system->dead_letter == NULL && !is_logged)) return;
    struct cede_dead_letter letter = {.reason = reason,
                                      .type = msg->type,
                                      .message = cedei_msg_body(msg),
                                      .type_name = msg->type->name,
                                      .to_name = ""};
    if (receiver != NULL) letter_address(receiver, msg, &letter);
    if (is_logged) letter_log(system, &letter, count);
    if (system->dead_letter != NULL) system->dead_letter(system->dead_letter_context, &letter);
}
