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
    uint64_t done;     /* turns, yields and jobs of all workers, ever */
    uint32_t on_duty;  /* regular workers */
    uint32_t busy;     /* those of them that do not sleep */
    bool waits_behind; /* something waits, and a worker is where it was at the last look */
    bool have_left;    /* all that were told to go off duty are */
};

/* Access: the lookout only. */
struct cedei_scale {
    uint64_t looked_ns; /* the last look */
    enum cedei_scale_state state;
    bool is_steady;    /* at the last look all were busy */
    uint64_t since_ns; /* the window that is measured: from then on, */
    uint64_t done;     /* with so much done before */
    uint64_t rate; /* of those there were before the last were sent off, per CEDEI_SCALE_WINDOW_NS */
    uint64_t next_ns;   /* no trial before; in FEW: until then */
    bool fewer_last;    /* the outcome of the last trial */
    uint64_t pause_ns;  /* from one trial to the next */
    uint64_t off;       /* a bit per worker that is off duty or about to be */
    uint64_t last;      /* of those, that went last */
    uint64_t returning; /* of those, that are to be called back */
};

#define CEDEI_SCALE_WINDOW_NS ((uint64_t)1000000)
/* How far looks are apart while something is measured or somebody is off duty. */
#define CEDEI_SCALE_PERIOD_NS ((uint64_t)500000)
/* A worker that does less in a window has turns that are worth another worker's help. */
enum { CEDEI_SCALE_FINE = 500 };

/* What is to be done; changes the state as if it were. */
enum cedei_scale_step cedei_scale_decide(struct cedei_scale *scale,
                                         const struct cedei_scale_look *look);
/* Looks, decides and does it. Returns until when to wait before the next look, at most `until_ns`. */
uint64_t cedei_scale_round(struct cedei_sched *sched, uint64_t until_ns);

#endif
