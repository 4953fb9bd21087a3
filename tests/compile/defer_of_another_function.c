// expect: 'fclose' cannot be a cleanup: it must be  void fclose(cede_self *self, void *argument)
// errors: 3
#include <stdio.h>

#include <cede/defer.h>

cede_result turn(cede_self *self, FILE *file);
#ifdef RIGHT
static void file_close(cede_self *self, void *file) { (void)self, (void)fclose(file); }
cede_result turn(cede_self *self, FILE *file) { return cede_defer(self, file_close, file); }
#else
cede_result turn(cede_self *self, FILE *file) { return cede_defer(self, fclose, file); }
#endif
