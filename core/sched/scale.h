/* scale.h - how many workers work on what there is to do. See scale.c. */
#ifndef CEDEI_SCHED_SCALE_H
#define CEDEI_SCHED_SCALE_H

#include <stdbool.h>
#include <stdint.h>

struct cedei_sched;

/*   state   | means                                               | what ends it
 *   ALL     | every worker may work                               | SEND_OFF, to LEAVING
 *   LEAVING | half of those on duty have been told to go          | SETTLE (they have gone), to TRIAL; CALL_BACK, to ALL or FEW
 *   TRIAL   | it is measured what the others do without them      | SEND_OFF, to LEAVING; STAY, to FEW; CALL_BACK, to ALL or FEW;
 *           |                                                     | CALL_ALL, to ALL
 *   FEW     | those that are off duty stay there                  | CALL_ALL, to ALL */
enum cedei_scale_state {
    CEDEI_SCALE_ALL = 0,
    CEDEI_SCALE_LEAVING,
    CEDEI_SCALE_TRIAL,
    CEDEI_SCALE_FEW
};

/* CALL_BACK: those that went last. */
enum cedei_scale_step {
    CEDEI_SCALE_STAY = 0,
    CEDEI_SCALE_SEND_OFF,
    CEDEI_SCALE_SETTLE, /* what the rest does is measured with all that one worker alone is spared */
    CEDEI_SCALE_CALL_BACK,
    CEDEI_SCALE_CALL_ALL
};

/* What was seen at one moment. */
struct cedei_scale_look {
    uint64_t now_ns;
    uint64_t done;     /* by all workers, ever: see done_by */
    uint32_t on_duty;  /* regular workers */
    uint32_t busy;     /* those of them that do not sleep */
    uint32_t active;   /* those of them that did something since the last look */
    bool goes_on;      /* a worker is where it was at the last look */
    bool waits_behind; /* and at the look before that, and something waits behind it */
    bool have_left;    /* all that were told to go off duty are */
};

/* A time that is measured: from its first look to the last. */
struct cedei_scale_window {
    uint64_t since_ns;
    uint64_t done;   /* before it */
    uint64_t busy;   /* sum over the looks in it */
    uint32_t looks;  /* in it */
    uint32_t shared; /* of those, that found two or more active */
};

/* Access: the lookout only. */
struct cedei_scale {
    uint64_t looked_ns; /* the last look */
    enum cedei_scale_state state;
    uint32_t eager; /* so many looks more are close to each other, whatever they see */
    struct cedei_scale_window window;
    struct cedei_scale_window all; /* in ALL: the time in which several have been active */
    uint64_t rate; /* per CEDEI_SCALE_UNIT_NS; of the most that all did before some were sent off; in FEW: of the rest, in the trial */
    uint64_t next_ns;   /* no trial before; in FEW: until then */
    bool had_time;      /* in FEW: those on duty slept now and then in the trial */
    uint32_t full;      /* in FEW: looks in a row that found all on duty busy */
    bool is_near;       /* the next look: a turn may be about to become long */
    bool fewer_last;    /* the outcome of the last trial */
    uint64_t pause_ns;  /* from one trial to the next */
    uint32_t broken;    /* times in a row that FEW did not last its time */
    uint64_t off;       /* a bit per worker that is off duty or about to be */
    uint64_t last;      /* of those, that went last */
    uint64_t returning; /* of those, that are to be called back */
};

/* What was seen of a worker at the last look. Access: the lookout only. */
struct cedei_scale_seat {
    uint32_t tick; /* its task */
    uint32_t same; /* looks in a row that found it there, with nothing done in between */
    uint64_t done;
};

#define CEDEI_SCALE_UNIT_NS ((uint64_t)1000000)
/* A window is long enough when so much was done in so long, or at the latest after so long. */
#define CEDEI_SCALE_WINDOW_MIN_NS ((uint64_t)500000)
#define CEDEI_SCALE_WINDOW_MAX_NS ((uint64_t)5000000)
enum { CEDEI_SCALE_WINDOW_DONE = 8000 };
/* How far back it is looked for what all did: what a single window has is more or less by chance. */
#define CEDEI_SCALE_ALL_MAX_NS ((uint64_t)20000000)
/* How far looks are apart while something is measured, and while somebody is off duty. */
#define CEDEI_SCALE_NEAR_NS ((uint64_t)250000)
#define CEDEI_SCALE_FAR_NS ((uint64_t)1000000)
/* What takes longer on average is worth another worker's help. */
enum { CEDEI_SCALE_FINE_NS = 2000 };
/* Of less per CEDEI_SCALE_UNIT_NS by all together it does not matter who does it. */
enum { CEDEI_SCALE_LITTLE = 200 };

/* What is to be done; changes the state as if it were. */
enum cedei_scale_step cedei_scale_decide(struct cedei_scale *scale,
                                         const struct cedei_scale_look *look);
/* Looks, decides and does it. Returns until when to wait before the next look, at most `until_ns`. */
uint64_t cedei_scale_round(struct cedei_sched *sched, uint64_t until_ns);
/* Work begins after a pause: what there is to decide shall be decided soon. */
void cedei_scale_wake(struct cedei_scale *scale);

#endif
