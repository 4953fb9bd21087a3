/* system.c - the rest of core/sys for a simulation: memory that runs short by choice, random numbers of the seed, flags instead
 * of eventfds. Descriptors to wait for, signals and child processes are not simulated: what would need them is CEDE_ENOTSUP
 * and says so once. Files are real ones. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/base.h"
#include "core/sim/world.h"
#include "core/sys/alloc.h"
#include "core/sys/event.h"
#include "core/sys/fault.h"
#include "core/sys/poll.h"
#include "core/sys/process.h"
#include "core/sys/random.h"
#include "core/sys/signal.h"

/* ---- memory ---- */

/* In front of each block. */
struct block_head {
    struct block_head *next, **back; /* of those that live */
    const char *here;                /* where it was asked for */
    size_t lead, size;               /* bytes from the beginning of malloc's block; of the block */
};

static struct block_head *blocks_first; /* the newest */
static int64_t blocks_live;

int64_t cedei_sim_blocks_live(const char **here) {
    *here = blocks_first != NULL ? blocks_first->here : "";
    return blocks_live;
}

static void *block_make(const struct cedei_alloc_site *site, size_t align, size_t size,
                        bool zeroed) {
    void *base = NULL;
    if (cedei_sim_choose(CEDEI_SIM_MEMORY) != 0) return NULL;
    if (align < CEDEI_CACHE_LINE) align = CEDEI_CACHE_LINE;
    _Static_assert(sizeof(struct block_head) <= CEDEI_CACHE_LINE, "fits in front of any block");
    if (posix_memalign(&base, align, align + size) != 0) return NULL;
    char *block = (char *)base + align;
    if (zeroed) memset(block, 0, size);
    struct block_head *head = (struct block_head *)(void *)(block - sizeof *head);
    *head = (struct block_head){.next = blocks_first,
                                .back = &blocks_first,
                                .here = site != NULL ? site->here : "?",
                                .lead = align,
                                .size = size};
    if (blocks_first != NULL) blocks_first->back = &head->next;
    blocks_first = head;
    blocks_live++;
    return block;
}

void *cedei_alloc_by(const struct cedei_alloc_site *site, size_t size) {
    return block_make(site, 1, size, false);
}

void *cedei_alloc_zeroed_by(const struct cedei_alloc_site *site, size_t size) {
    return block_make(site, 1, size, true);
}

void *cedei_alloc_aligned_by(const struct cedei_alloc_site *site, size_t align, size_t size) {
    return block_make(site, align, size, false);
}

void cedei_free(void *block) {
    if (block == NULL) return;
    struct block_head *head = (struct block_head *)(void *)((char *)block - sizeof *head);
    *head->back = head->next;
    if (head->next != NULL) head->next->back = head->back;
    blocks_live--;
    free((char *)block - head->lead);
}

void cedei_alloc_keep(void *block) {
    struct block_head *head = (struct block_head *)(void *)((char *)block - sizeof *head);
    *head->back = head->next;
    if (head->next != NULL) head->next->back = head->back;
    blocks_live--;
}

void *cedei_realloc_by(const struct cedei_alloc_site *site, void *block, size_t size) {
    void *other = block_make(site, 1, size, false);
    if (other == NULL || block == NULL) return other;
    struct block_head *head = (struct block_head *)(void *)((char *)block - sizeof *head);
    memcpy(other, block, head->size < size ? head->size : size);
    cedei_free(block);
    return other;
}

void cedei_alloc_fail_after(uint64_t count, bool once) { (void)count, (void)once; }
uint64_t cedei_alloc_fail_never(void) { return 0; }
bool cedei_alloc_fails(const struct cedei_alloc_site *site) {
    (void)site;
    return cedei_sim_choose(CEDEI_SIM_MEMORY) != 0;
}
bool cedei_alloc_site_fails(const struct cedei_alloc_site *site) {
    (void)site;
    return false;
}

/* ---- numbers ---- */

bool cedei_chance(void) { return cedei_sim_choose(CEDEI_SIM_DUTY) != 0; }

uint64_t cedei_random_u64(void) { return cedei_sim_is_running() ? cedei_sim_random() : 1; }

/* ---- flags ---- */

enum { EVENTS_MAX = 256, EVENT_BASE = 1 << 20 /* no descriptor of the system has that number */ };
static bool events_used[EVENTS_MAX], events_set[EVENTS_MAX];

cede_result cedei_event_open(cedei_event *event) {
    for (int i = 0; i < EVENTS_MAX; i++) {
        if (events_used[i]) continue;
        events_used[i] = true;
        events_set[i] = false;
        event->fd = EVENT_BASE + i;
        return CEDE_OK;
    }
    return CEDE_ELIMIT;
}

static bool *flag_of(const cedei_event *event) { return &events_set[event->fd - EVENT_BASE]; }

void cedei_event_close(cedei_event *event) {
    events_used[event->fd - EVENT_BASE] = false;
    event->fd = -1;
}
void cedei_event_set(const cedei_event *event) {
    *flag_of(event) = true;
    cedei_sim_wake(flag_of(event), CEDEI_SIM_THREADS_MAX);
    cedei_sim_point_now();
}
void cedei_event_clear(const cedei_event *event) {
    cedei_sim_point_now();
    *flag_of(event) = false;
}
bool cedei_event_wait_until(const cedei_event *event, uint64_t deadline_ns) {
    cedei_sim_point_now();
    while (!*flag_of(event))
        if (!cedei_sim_wait(flag_of(event), deadline_ns)) return false;
    return true;
}

/* ---- what there is not ---- */

static cede_result not_simulated(const char *what) {
    static bool said;
    if (!said)
        fprintf(stderr,
                "cede-sim: %s are not simulated: CEDE_ENOTSUP. Keep them behind an actor that the "
                "simulation replaces by one of its own\n",
                what);
    said = true;
    return CEDE_ENOTSUP;
}

cede_result cedei_poll_init(struct cedei_poll *poll) {
    (void)poll;
    return not_simulated("sockets, pipes and other descriptors to wait for");
}
void cedei_poll_fini(struct cedei_poll *poll) { (void)poll; }
cede_result cedei_poll_add(struct cedei_poll *poll, int descriptor, void *context) {
    (void)poll, (void)descriptor, (void)context;
    return CEDE_ENOTSUP;
}
void cedei_poll_remove(struct cedei_poll *poll, int descriptor) { (void)poll, (void)descriptor; }
uint32_t cedei_poll_wait(struct cedei_poll *poll, cedei_poll_event *events, uint32_t max,
                         uint64_t deadline_ns) {
    (void)poll, (void)events, (void)max, (void)deadline_ns;
    return 0;
}
void cedei_poll_wake(struct cedei_poll *poll) { (void)poll; }

cede_result cedei_signals_open(void) { return not_simulated("signals"); }
void cedei_signals_close(void) {}
cede_result cedei_signal_catch(int number) {
    (void)number;
    return CEDE_ENOTSUP;
}
void cedei_signal_release(int number) { (void)number; }
uint64_t cedei_signals_wait(void) { return 0; }
void cedei_signals_wake(void) {}

cede_result cedei_process_start(char *const argv[], int32_t *pid, int32_t *lifeline) {
    (void)argv, (void)pid, (void)lifeline;
    return not_simulated("child processes");
}
cede_result cedei_process_wait(int32_t pid, uint64_t timeout_ns, int32_t *status) {
    (void)pid, (void)timeout_ns, (void)status;
    return CEDE_ENOENT;
}
cede_result cedei_process_signal(int32_t pid, int signal_number) {
    (void)pid, (void)signal_number;
    return CEDE_ENOENT;
}
void cedei_process_lifeline_close(int32_t lifeline) { (void)lifeline; }
cede_result cedei_process_follow_parent(void) { return CEDE_OK; }

/* A fault ends the run's process; the trace shows whose turn it was. */
void cedei_fault_install(cedei_fault_fn *explain) { (void)explain; }
void *cedei_fault_thread_begin(void) { return NULL; }
void cedei_fault_thread_end(void *signal_stack) { (void)signal_stack; }
