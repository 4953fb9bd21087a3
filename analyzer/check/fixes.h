//===- fixes.h - repairs that are insertions of text --------------------------===//
#ifndef CEDE_ANALYZER_CHECK_FIXES_H
#define CEDE_ANALYZER_CHECK_FIXES_H

#include "finding.h"

namespace cede {

/// Applies the edits of all findings to their files, each once. Returns how many; on a failure \p
/// Error names the file, and that file is unchanged.
unsigned applyFixes(const std::vector<CheckFinding> &Findings, std::string &Error);

} // namespace cede

#endif
