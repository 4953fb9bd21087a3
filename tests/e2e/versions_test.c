/* Two programs with different versions of their message types (tests/golden/types.h) over a link. Built twice: version 1 is
 * the test and starts version 2, whose path is its argument; version 2 asks, and ends with 0 if it understood the answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>
#include <cede/node.h>
#include <cede/process.h>

#include "tests/golden/types.h"
#include "tests/support/expect.h"

#define PATIENCE CEDE_SECONDS(60)
#define SILENCE_IS_FINE CEDE_SECONDS(60)

/* Declared alike on both sides. */
#define DONE(F)                                                                                    \
    F(str, text)                                                                                   \
    F(u32, orders)
CEDE_MESSAGE(done, DONE);

#if TYPES_VERSION == 1

/* ---- version 1: answers orders with orders, and keeps count ---- */

struct desk {
    uint32_t orders;
};

static cede_result on_order(cede_self *self, struct desk *desk, struct order *order) {
    char text[600];
    (void)cede_message_print(&cede_type_order, order, text, sizeof text);
    EXPECT(strcmp(text,
                  "order{id=77, clerk=0, note=\"from version 2\", customer=nobody, hue=2, "
                  "key=[0, 0, 0, 0], lines=[line{text=\"bolts\", amount=2}], "
                  "first=line{text=\"\", amount=0}, gift=line{text=\"gift\", amount=4}}") == 0);
    desk->orders++;
    order->clerk = 5;
    EXPECT_OK(cede_str_set(&order->note, "from version 1"));
    return cede_reply(self, order, &order);
}

static cede_result on_tree(cede_self *self, struct desk *desk, struct tree *tree) {
    (void)desk;
    EXPECT(tree->key == 1 && tree->left != NULL && tree->left->key == 2 && tree->right == NULL);
    return cede_reply(self, tree, &tree);
}

static cede_result on_parcel(cede_self *self, struct desk *desk, struct parcel *parcel) {
    (void)self, (void)desk, (void)parcel;
    expect_failed(CEDEI_HERE, "a parcel of version 2 cannot be read by version 1");
    return CEDE_OK;
}

static cede_result on_done(cede_self *self, struct desk *desk, struct done *done) {
    EXPECT(strcmp(cede_str_text(&done->text), "alike") == 0);
    done->orders = desk->orders;
    return cede_reply(self, done, &done);
}

#define DESK(ON)                                                                                   \
    ON(order, on_order)                                                                            \
    ON(tree, on_tree)                                                                              \
    ON(parcel, on_parcel)                                                                          \
    ON(done, on_done)
CEDE_BEHAVIOUR(desk, struct desk, DESK);

struct stage {
    const char *folder, *program;
};

static CEDE_YIELDS cede_result serve(cede_self *self, void *context) {
    struct stage *stage = context;
    char url[128], program[512];
    (void)snprintf(url, sizeof url, "ipc://%s/node", stage->folder);
    (void)snprintf(program, sizeof program, "%s", stage->program);
    struct cede_node_options options = {
        .name = "one", .listen_url = url, .silence_ns = SILENCE_IS_FINE};
    EXPECT_OK(cede_node_start(self, &options));
    cede_ref actor = {0};
    EXPECT_OK(cede_spawn(self, &desk, CEDE_NOTHING, &actor));
    EXPECT_OK(cede_publish(self, "desk", actor));
    char *argv[] = {program, url, NULL};
    cede_process process = {0};
    EXPECT_OK(cede_process_start(self, argv, &process));
    int32_t status = -1;
    EXPECT_OK(cede_process_wait(self, &process, PATIENCE, &status));
    EXPECT(status == 0);
    return CEDE_OK;
}

int main(int argc, char **argv) {
    char folder[] = "/tmp/cede-versions-XXXXXX";
    EXPECT(argc == 2 && mkdtemp(folder) != NULL);
    struct stage stage = {folder, argv[1]};
    struct cede_options options = {.workers = 2};
    cede_system *system = NULL;
    EXPECT_OK(cede_system_create(&system, &options));
    EXPECT_OK(cede_block_on(system, serve, &stage));
    cede_system_destroy(system);
    EXPECT(rmdir(folder) == 0);
    return 0;
}

#else

/* ---- version 2: asks ---- */

static struct order *order_make(cede_self *self) {
    struct order *order = cede_new(self, order);
    EXPECT(order != NULL);
    order->id = 77;
    order->hue = HUE_GREEN;
    order->speed = SPEED_FAST;
    EXPECT_OK(cede_str_set(&order->note, "from version 2"));
    struct line *line = cede_list_add(&order->lines), *gift = cede_opt_make(&order->gift);
    EXPECT(line != NULL && gift != NULL);
    line->amount = 2;
    line->price = 0.5;
    EXPECT_OK(cede_str_set(&line->text, "bolts"));
    gift->amount = 4;
    EXPECT_OK(cede_str_set(&gift->text, "gift"));
    return order;
}

/* What version 1 does not know is gone when its message comes back. */
static CEDE_YIELDS void order_ask(cede_self *self, cede_ref desk) {
    char text[600];
    struct order *order = order_make(self), *reply = NULL;
    EXPECT_OK(cede_ask(self, desk, &order, order, &reply, PATIENCE));
    (void)cede_message_print(&cede_type_order, reply, text, sizeof text);
    EXPECT(strcmp(text, "order{hue=2, speed=3, currency=0, "
                        "gift=line{amount=4, price=0, text=\"gift\"}, "
                        "lines=[line{amount=2, price=0, text=\"bolts\"}], tags=[], "
                        "note=\"from version 1\", key=[0, 0, 0, 0], "
                        "first=line{amount=0, price=0, text=\"\"}, customer=nobody, id=77}") == 0);
    cede_drop(self, &reply);
}

static CEDE_YIELDS void tree_ask(cede_self *self, cede_ref desk) {
    struct tree *tree = cede_new(self, tree), *back = NULL;
    EXPECT(tree != NULL);
    tree->key = 1;
    struct tree *left = cede_opt_make(&tree->left);
    EXPECT(left != NULL && cede_opt_make(&tree->label) != NULL);
    left->key = 2;
    EXPECT_OK(cede_ask(self, desk, &tree, tree, &back, PATIENCE));
    EXPECT(back->label == NULL && back->left->key == 2);
    cede_drop(self, &back);
}

/* What cannot be understood is refused, by the message, and the link goes on. */
static CEDE_YIELDS void refused_ask(cede_self *self, cede_ref desk) {
    struct order *order = order_make(self), *reply = NULL;
    order->currency = 978; /* must() */
    EXPECT(cede_ask(self, desk, &order, order, &reply, PATIENCE) == CEDE_ETYPE);
    cede_drop(self, &order);
    struct parcel *parcel = cede_new(self, parcel), *back = NULL;
    EXPECT(parcel != NULL);
    EXPECT(cede_ask(self, desk, &parcel, parcel, &back, PATIENCE) == CEDE_ETYPE);
    cede_drop(self, &parcel);
}

static CEDE_YIELDS cede_result run(cede_self *self, int argc, char **argv) {
    EXPECT(argc == 2);
    struct cede_node_options options = {.name = "two", .silence_ns = SILENCE_IS_FINE};
    EXPECT_OK(cede_node_start(self, &options));
    uint64_t uid = 0;
    cede_ref desk = {0};
    EXPECT_OK(cede_node_connect(self, argv[1], PATIENCE, &uid));
    EXPECT_OK(cede_lookup(self, uid, "desk", PATIENCE, &desk));
    for (int i = 0; i < 3; i++) order_ask(self, desk);
    tree_ask(self, desk);
    refused_ask(self, desk);
    order_ask(self, desk);
    struct done *done = cede_new(self, done), *reply = NULL;
    EXPECT(done != NULL);
    EXPECT_OK(cede_str_set(&done->text, "alike"));
    EXPECT_OK(cede_ask(self, desk, &done, done, &reply, PATIENCE));
    EXPECT(reply->orders == 4);
    cede_drop(self, &reply);
    return CEDE_OK;
}

int main(int argc, char **argv) {
    (void)cede_process_follow_parent();
    return cede_main(argc, argv, run);
}

#endif
