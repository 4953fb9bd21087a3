/* More shapes: helpers, wrappers, several locks, recursion. What is not marked is right. */
#include <pthread.h>
#include <stdlib.h>
#include <cede/cede.h>
#define REQ(F) F(u64, id)
CEDE_MESSAGE(req, REQ);
#define RES(F) F(u64, id)
CEDE_MESSAGE(res, RES);
struct db { pthread_mutex_t mu; cede_mutex cm; pthread_rwlock_t rw; cede_ref peer; int n; cede_mutex *dyn; cede_mutex shards[4]; };
static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
/* goto unlock skipping */
CEDE_YIELDS cede_result a1(cede_self *self, struct db *db, struct req *m);
cede_result a1(cede_self *self, struct db *db, struct req *m) {
    struct res *res = NULL;
    cede_result r = CEDE_OK;
    pthread_mutex_lock(&db->mu);
    if (db->n == 0) goto ask;
    pthread_mutex_unlock(&db->mu);
ask:
    r = cede_ask(self, db->peer, &m, res, &res, CEDE_FOREVER); // expect: guard-over-yield
    if (db->n == 0) pthread_mutex_unlock(&db->mu);
    cede_drop(self, &res);
    return r;
}
/* dyn lock pointer */
CEDE_YIELDS void a2(cede_self *self, struct db *db);
void a2(cede_self *self, struct db *db) {
    cede_mutex_lock(db->dyn);
    db->n++;
    cede_mutex_unlock(db->dyn);
    cede_yield(self);
    cede_mutex_lock(db->dyn);
    cede_yield(self); // expect: guard-over-yield
    cede_mutex_unlock(db->dyn);
}
/* helper returns bool whether locked */
static bool try_lock(struct db *db) { return pthread_mutex_trylock(&db->mu) == 0; }
CEDE_YIELDS void a3(cede_self *self, struct db *db);
void a3(cede_self *self, struct db *db) {
    if (!try_lock(db)) { cede_yield(self); return; }
    db->n++;
    pthread_mutex_unlock(&db->mu);
    cede_yield(self);
}
CEDE_YIELDS void a4(cede_self *self, struct db *db);
void a4(cede_self *self, struct db *db) {
    if (try_lock(db)) { cede_yield(self); pthread_mutex_unlock(&db->mu); } // expect: guard-over-yield
}
/* own annotated lock wrapper, no body */
void db_enter(struct db *db CEDE_ACQUIRED);
void db_leave(struct db *db CEDE_RELEASED);
CEDE_YIELDS void a5(cede_self *self, struct db *db);
void a5(cede_self *self, struct db *db) {
    db_enter(db);
    cede_yield(self); // expect: guard-over-yield
    db_leave(db);
    cede_yield(self);
}
/* all shards */
CEDE_YIELDS void a6(cede_self *self, struct db *db);
void a6(cede_self *self, struct db *db) {
    for (int i = 0; i < 4; i++) cede_mutex_lock(&db->shards[i]);
    db->n = 0;
    for (int i = 0; i < 4; i++) cede_mutex_unlock(&db->shards[i]);
    cede_yield(self);
}
/* callback under lock, pointer type yields */
struct cb { CEDE_YIELDS void (*fn)(cede_self *self); };
CEDE_YIELDS void a7(cede_self *self, struct db *db, struct cb *cb);
void a7(cede_self *self, struct db *db, struct cb *cb) {
    pthread_rwlock_wrlock(&db->rw);
    cb->fn(self); // expect: guard-over-yield
    pthread_rwlock_unlock(&db->rw);
}
/* lock in caller, helper unlocks around the yield: fine */
CEDE_YIELDS static void relax(cede_self *self, struct db *db) {
    pthread_mutex_unlock(&db->mu);
    cede_yield(self);
    pthread_mutex_lock(&db->mu);
}
CEDE_YIELDS void a8(cede_self *self, struct db *db);
void a8(cede_self *self, struct db *db) {
    pthread_mutex_lock(&db->mu);
    while (db->n == 0) relax(self, db);
    pthread_mutex_unlock(&db->mu);
}
/* big global + inner */
CEDE_YIELDS void a9(cede_self *self, struct db *db);
void a9(cede_self *self, struct db *db) {
    pthread_mutex_lock(&big);
    pthread_mutex_lock(&db->mu);
    pthread_mutex_unlock(&big);
    if (db->n) cede_yield(self); // expect: guard-over-yield
    pthread_mutex_unlock(&db->mu);
}
/* unannotated static helper that yields */
static void nap(cede_self *self) { (void)cede_sleep(self, 5); }
CEDE_YIELDS void a10(cede_self *self, struct db *db);
void a10(cede_self *self, struct db *db) {
    cede_mutex_lock(&db->cm);
    nap(self); // expect: guard-over-yield
    cede_mutex_unlock(&db->cm);
}
/* recursive */
CEDE_YIELDS static void rec(cede_self *self, int n) { if (n > 0) rec(self, n - 1); else cede_yield(self); }
CEDE_YIELDS void a11(cede_self *self, struct db *db);
void a11(cede_self *self, struct db *db) {
    cede_mutex_lock(&db->cm);
    rec(self, db->n); // expect: guard-over-yield
    cede_mutex_unlock(&db->cm);
}
/* malloc'd */
CEDE_YIELDS void a12(cede_self *self);
void a12(cede_self *self) {
    struct db *db = calloc(1, sizeof *db);
    if (!db) return;
    pthread_mutex_init(&db->mu, NULL);
    pthread_mutex_lock(&db->mu);
    db->n = 1;
    pthread_mutex_unlock(&db->mu);
    cede_yield(self);
    pthread_mutex_destroy(&db->mu);
    free(db);
}
/* bool locked param */
CEDE_YIELDS static void work(cede_self *self, struct db *db, bool locked) {
    if (!locked) cede_mutex_lock(&db->cm);
    db->n++;
    cede_mutex_unlock(&db->cm);
    cede_yield(self);
}
CEDE_YIELDS void a13(cede_self *self, struct db *db);
void a13(cede_self *self, struct db *db) { cede_mutex_lock(&db->cm); work(self, db, true); work(self, db, false); }
/* functions that try say so */
cede_result db_try(struct db *db CEDE_ACQUIRED_ON_OK);
bool db_try_bool(struct db *db CEDE_ACQUIRED_ON_OK);
CEDE_YIELDS void a14(cede_self *self, struct db *db);
void a14(cede_self *self, struct db *db) {
    while (db_try(db) != CEDE_OK) cede_yield(self);
    cede_yield(self); // expect: guard-over-yield
    db_leave(db);
    if (!db_try_bool(db)) { cede_yield(self); return; }
    db->n++;
    cede_yield(self); // expect: guard-over-yield
    db_leave(db);
}
