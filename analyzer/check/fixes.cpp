//===- fixes.cpp - repairs that are insertions of text ------------------------===//
#include "fixes.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <map>
#include <set>

using namespace llvm;

namespace cede {

namespace {
using Change = std::tuple<unsigned, unsigned, std::string>; // offset, length, text
} // namespace

/// Writes beside the file and renames, so that a full disk leaves the old text.
static bool replaceFile(const std::string &Path, const std::string &Text, std::string &Error) {
  std::string Fresh = Path + ".cede-fix";
  std::error_code Code;
  {
    raw_fd_ostream OS(Fresh, Code);
    if (!Code)
      OS << Text;
    OS.close();
    if (!Code && OS.has_error())
      Code = OS.error();
    OS.clear_error();
  }
  if (!Code) {
    if (auto Mode = sys::fs::getPermissions(Path))
      Code = sys::fs::setPermissions(Fresh, *Mode);
  }
  if (!Code)
    Code = sys::fs::rename(Fresh, Path);
  if (Code)
    Error = "cannot write " + Path + ": " + Code.message();
  return !Code;
}

unsigned applyFixes(const std::vector<CheckFinding> &Findings, std::string &Error) {
  std::map<std::string, std::set<Change>> Changes;
  for (const CheckFinding &F : Findings)
    for (const Edit &E : F.Fixes)
      Changes[E.At.File].insert({E.Offset, E.Length, E.Text});
  unsigned Count = 0;
  for (const auto &File : Changes) {
    auto Buffer = MemoryBuffer::getFile(File.first);
    if (!Buffer) {
      Error = "cannot read " + File.first + ": " + Buffer.getError().message();
      return Count;
    }
    std::string Text = (*Buffer)->getBuffer().str();
    for (auto It = File.second.rbegin(); It != File.second.rend(); ++It)
      if (std::get<0>(*It) + std::get<1>(*It) <= Text.size())
        Text.replace(std::get<0>(*It), std::get<1>(*It), std::get<2>(*It));
    if (!replaceFile(File.first, Text, Error))
      return Count;
    Count += unsigned(File.second.size());
  }
  return Count;
}

} // namespace cede
