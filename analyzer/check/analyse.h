//===- analyse.h - one translation unit through all rules ------------------===//
#ifndef CEDE_ANALYZER_CHECK_ANALYSE_H
#define CEDE_ANALYZER_CHECK_ANALYSE_H

#include "finding.h"
#include "llvm/ADT/StringSet.h"

namespace cede {

struct AnalyseOptions {
  llvm::StringSet<> Rules; ///< names of the rules to run
  unsigned Budget = 40000; ///< states a function may take in the path-sensitive rules
  bool Strict = false;     ///< report what cannot be proved
  std::string ResourceDir; ///< clang's own headers
};

/// Runs the compiler's front end and the rules over one file. \p Command is a clang command line,
/// program name first, with the file last. Called in a process of its own: clang's memory is not
/// given back.
UnitResult analyseUnit(const std::vector<std::string> &Command, const AnalyseOptions &Options);

/// The folder with stddef.h and so on that belongs to the linked clang; empty when it is not there.
std::string findResourceDir();

} // namespace cede

#endif
