// expect: message 'l17' nests deeper than CEDE_MESSAGE_DEPTH_MAX
// errors: 1
#include <cede/message.h>

#define L1(F) F(u8, it)
CEDE_MESSAGE(l1, L1);
#define L2(F) F(list(l1), it)
CEDE_MESSAGE(l2, L2);
#define L3(F) F(list(l2), it)
CEDE_MESSAGE(l3, L3);
#define L4(F) F(list(l3), it)
CEDE_MESSAGE(l4, L4);
#define L5(F) F(list(l4), it)
CEDE_MESSAGE(l5, L5);
#define L6(F) F(list(l5), it)
CEDE_MESSAGE(l6, L6);
#define L7(F) F(list(l6), it)
CEDE_MESSAGE(l7, L7);
#define L8(F) F(list(l7), it)
CEDE_MESSAGE(l8, L8);
#define L9(F) F(list(l8), it)
CEDE_MESSAGE(l9, L9);
#define L10(F) F(list(l9), it)
CEDE_MESSAGE(l10, L10);
#define L11(F) F(list(l10), it)
CEDE_MESSAGE(l11, L11);
#define L12(F) F(list(l11), it)
CEDE_MESSAGE(l12, L12);
#define L13(F) F(list(l12), it)
CEDE_MESSAGE(l13, L13);
#define L14(F) F(list(l13), it)
CEDE_MESSAGE(l14, L14);
#define L15(F) F(list(l14), it)
CEDE_MESSAGE(l15, L15);
#define L16(F) F(list(l15), it)
CEDE_MESSAGE(l16, L16);
#ifdef RIGHT
#define L17(F) F(u8, it)
#else
#define L17(F) F(list(l16), it)
#endif
CEDE_MESSAGE(l17, L17);
