//===- compile_db.h - which files, compiled how ----------------------------===//
#ifndef CEDE_ANALYZER_CHECK_COMPILE_DB_H
#define CEDE_ANALYZER_CHECK_COMPILE_DB_H

#include <string>
#include <vector>

namespace cede {

/// One translation unit to look at.
struct Unit {
  std::string File;                 ///< absolute
  std::string Directory;            ///< absolute; the compiler ran there
  std::vector<std::string> Command; ///< for clang: program, options, file
};

struct CompileDb {
  std::vector<Unit> Units; ///< C only; the same command twice is there once
  unsigned Skipped = 0;    ///< entries in other languages
  std::string Error;
};

/// Reads BUILD/compile_commands.json, or the file itself when \p Build names one.
CompileDb readCompileDb(const std::string &Build, const std::string &ResourceDir);

/// One file with the compiler options given by hand.
Unit unitFor(const std::string &File, const std::vector<std::string> &Options,
             const std::string &ResourceDir);

std::string absoluteIn(const std::string &Path, const std::string &Directory);

} // namespace cede

#endif
