//===- children.h - translation units in processes of their own --------------===//
//
// Each translation unit is analysed in a forked child, so that a crash in one is that file's error
// and no more, and clang's memory goes back. The result comes through an unlinked temporary file.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_CHECK_CHILDREN_H
#define CEDE_ANALYZER_CHECK_CHILDREN_H

#include "analyse.h"
#include "compile_db.h"
#include <functional>

namespace cede {

struct ChildOptions {
  AnalyseOptions Analyse;
  unsigned Jobs = 1;
  unsigned Seconds = 600; ///< that one file may take
};

/// Analyses all units, at most Jobs at a time. \p Done is told of each, in the order in which they
/// end.
void analyseAll(const std::vector<Unit> &Units, const ChildOptions &Options,
                const std::function<void(const Unit &, const UnitResult &)> &Done);

} // namespace cede

#endif
