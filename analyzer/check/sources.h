//===- sources.h - lines of source files, and what their comments allow ----===//
//
//     // cede: allow(rule) reason         on the line of a finding or on a line of its own above it
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_CHECK_SOURCES_H
#define CEDE_ANALYZER_CHECK_SOURCES_H

#include "finding.h"
#include <map>

namespace cede {

/// Files as lists of lines, read once.
class Sources {
public:
  const std::vector<std::string> &lines(const std::string &File);
  /// The line, without its newline; empty when there is none.
  std::string line(const std::string &File, unsigned Number);

  /// Whether a comment with a reason allows this finding.
  bool isAllowed(const CheckFinding &F);
  /// Findings about the comments of a file themselves: no reason, or no such rule.
  std::vector<CheckFinding> checkAllows(const std::string &File);

private:
  std::map<std::string, std::vector<std::string>> Files;
};

} // namespace cede

#endif
