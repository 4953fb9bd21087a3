//===- sources.cpp - source lines and the comments that allow findings ------===//
#include "sources.h"

#include "../lint/allow.h"
#include "../lint/rules.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

using llvm::StringRef;

namespace cede {

const std::vector<std::string> &Sources::lines(const std::string &File) {
  auto Known = Files.find(File);
  if (Known != Files.end())
    return Known->second;
  std::vector<std::string> &Out = Files[File];
  auto Buffer = llvm::MemoryBuffer::getFile(File);
  StringRef Text = Buffer ? (*Buffer)->getBuffer() : StringRef();
  while (!Text.empty()) {
    StringRef Line;
    std::tie(Line, Text) = Text.split('\n');
    Out.push_back(Line.rtrim('\r').str());
  }
  return Out;
}

std::string Sources::line(const std::string &File, unsigned Number) {
  const std::vector<std::string> &All = lines(File);
  return Number >= 1 && Number <= All.size() ? All[Number - 1] : "";
}

bool Sources::isAllowed(const CheckFinding &F) {
  auto Line = [&](unsigned Number) { return line(F.At.File, Number); };
  return cede::isAllowed(Line, F.At.Line, F.Rule);
}

std::vector<CheckFinding> Sources::checkAllows(const std::string &File) {
  std::vector<CheckFinding> Out;
  unsigned Number = 0;
  for (const std::string &Line : lines(File)) {
    ++Number;
    Allow A = parseAllow(Line);
    if (!A.Present)
      continue;
    CheckFinding F;
    F.Rule = "allow-comment";
    F.At = {File, Number, A.Column, A.Column + 11};
    F.Repair = "write  // cede: allow(rule) reason";
    if (A.Reason.empty()) {
      F.Fact = "this comment allows '" + A.Rules.trim().str() + "' without giving a reason";
      Out.push_back(F);
    }
    for (StringRef Rest = A.Rules; !Rest.empty();) {
      StringRef Name;
      std::tie(Name, Rest) = Rest.split(',');
      if (findRule(Name.trim()) != nullptr)
        continue;
      F.Fact = "this comment allows '" + Name.trim().str() + "', which is no rule";
      F.Repair = "see cede-check --list-rules";
      Out.push_back(F);
    }
  }
  return Out;
}

} // namespace cede
