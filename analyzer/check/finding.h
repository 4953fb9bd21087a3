//===- finding.h - a finding as cede-check passes it on --------------------===//
//
// Plain data: what one child process found in one translation unit, written to its parent as JSON.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_CHECK_FINDING_H
#define CEDE_ANALYZER_CHECK_FINDING_H

#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace cede {

struct Place {
  std::string File; ///< absolute
  unsigned Line = 0;
  unsigned Column = 0;
  unsigned EndColumn = 0;
};

struct Step {
  Place At;
  std::string Text;
};

/// Replaces \p Length bytes at \p Offset of the file in \p At.
struct Edit {
  Place At;
  unsigned Offset = 0;
  unsigned Length = 0;
  std::string Text;
};

struct CheckFinding {
  std::string Rule;
  Place At;
  std::string Fact;
  std::string Repair;
  std::string Function; ///< where it is, for fingerprints; may be empty
  std::vector<Step> Path;
  std::vector<Edit> Fixes;
  std::string Fingerprint; ///< given when all are known
  bool IsPath = false;     ///< Path is the way of the execution, in order
};

/// What came of one translation unit.
struct UnitResult {
  std::string Error; ///< first error, when it does not compile
  std::vector<CheckFinding> Findings;
  std::vector<std::string> Unfinished; ///< functions that the budget did not suffice for
  std::vector<std::string> Files;      ///< the user's files that it read
  std::vector<std::string> Asserted;   ///< reasons of CEDE_ASSERT_SEND, "file:line: reason"
};

llvm::json::Value toJSON(const UnitResult &R);
bool fromJSON(const llvm::json::Value &V, UnitResult &R, llvm::json::Path P);

} // namespace cede

#endif
