//===- options.h - the command line of cede-check ---------------------------===//
#ifndef CEDE_ANALYZER_CHECK_OPTIONS_H
#define CEDE_ANALYZER_CHECK_OPTIONS_H

#include "children.h"

namespace cede {

struct Options {
  std::string Build = "."; ///< folder of compile_commands.json, or that file
  std::vector<std::string> Files;
  std::vector<std::string> CompilerOptions; ///< behind `--`
  bool HaveCommand = false;
  std::string Sarif;
  std::string Baseline; ///< a SARIF log; what is in it does not count
  bool Quiet = false;
  bool Fix = false;
  ChildOptions Children;
};

/// False when the program is to end with \p Status: after --help and the like, or after a mistake.
bool parseOptions(int Count, char **Words, Options &Out, int &Status);

} // namespace cede

#endif
