//===- allow.h - comments that allow findings -------------------------------===//
//
// `// cede: allow(rule, rule) reason` silences the rules on its line; on a line of its own, alone
// or at the head of a block of comment lines, on the line of code below. Without a reason it does
// not.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_LINT_ALLOW_H
#define CEDE_ANALYZER_LINT_ALLOW_H

#include "clang/Basic/SourceManager.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace cede {

struct Allow {
  bool Present = false;
  bool OwnLine = false;  ///< nothing but the comment is on the line
  llvm::StringRef Rules; ///< between the parentheses
  llvm::StringRef Reason;
  unsigned Column = 0;
};

/// Finds the comment in a line.
Allow parseAllow(llvm::StringRef Line);
/// Whether a comment on line \p Number, or above it, allows \p Rule. \p Line gives lines by their
/// number, from 1.
bool isAllowed(llvm::function_ref<std::string(unsigned)> Line, unsigned Number,
               llvm::StringRef Rule);
/// As above, in the file of \p Loc.
bool isAllowed(const clang::SourceManager &SM, clang::SourceLocation Loc, llvm::StringRef Rule);

} // namespace cede

#endif
