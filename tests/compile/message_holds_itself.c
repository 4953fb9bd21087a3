// expect: CEDE_MESSAGE_declares_tree_before_it_is_used
// errors: 9
#include <cede/message.h>

/* A tree of any depth could not be walked with a bounded stack: send its nodes as one list, by index. */
#ifdef RIGHT
#define TREE_NODE(F)                                                                               \
    F(u32, parent)                                                                                 \
    F(u64, value)
CEDE_MESSAGE(tree_node, TREE_NODE);
#define TREE(F) F(list(tree_node), nodes)
#else
#define TREE(F) F(list(tree), children)
#endif
CEDE_MESSAGE(tree, TREE);
