//===- allow.cpp - comments that allow findings -----------------------------===//
#include "allow.h"

using llvm::StringRef;

namespace cede {

/// Finds `// cede: allow(...) reason` (or the same in a block comment) in a line.
Allow parseAllow(StringRef Line) {
  Allow A;
  size_t At = Line.find("cede: allow(");
  if (At == StringRef::npos)
    return A;
  StringRef Before = Line.take_front(At).rtrim();
  bool InComment =
      Before.take_back(2) == "//" || Before.take_back(2) == "/*" || Before.take_back(1) == "*";
  if (!InComment)
    return A;
  StringRef Rest = Line.drop_front(At + StringRef("cede: allow(").size());
  size_t Close = Rest.find(')');
  if (Close == StringRef::npos)
    return A;
  A.Present = true;
  A.Rules = Rest.take_front(Close);
  A.Reason = Rest.drop_front(Close + 1).split("*/").first.trim(" \t:-");
  A.OwnLine = Line.trim().take_front(1) == "/" || Line.trim().take_front(1) == "*";
  A.Column = unsigned(At) + 1;
  return A;
}

static bool names(StringRef Rules, StringRef Rule) {
  while (!Rules.empty()) {
    StringRef First;
    std::tie(First, Rules) = Rules.split(',');
    if (First.trim() == Rule)
      return true;
  }
  return false;
}

static bool isCommentLine(StringRef Line) {
  Line = Line.trim();
  return Line.take_front(2) == "//" || Line.take_front(2) == "/*" || Line.take_front(1) == "*";
}

bool isAllowed(llvm::function_ref<std::string(unsigned)> Line, unsigned Number, StringRef Rule) {
  auto Allows = [Rule](const Allow &A) {
    return A.Present && !A.Reason.empty() && names(A.Rules, Rule);
  };
  std::string Own = Line(Number);
  if (Allows(parseAllow(Own)))
    return true;
  while (--Number >= 1) {
    std::string Above = Line(Number);
    Allow A = parseAllow(Above);
    // One behind code speaks of that line.
    if (Allows(A) && A.OwnLine)
      return true;
    if (!isCommentLine(Above))
      return false;
  }
  return false;
}

bool isAllowed(const clang::SourceManager &SM, clang::SourceLocation Loc, StringRef Rule) {
  Loc = SM.getFileLoc(Loc);
  if (Loc.isInvalid())
    return false;
  StringRef Text = SM.getBufferData(SM.getFileID(Loc));
  // Backwards from the line of the finding: lines far above are not asked for.
  auto Line = [&](unsigned Number) {
    unsigned Offset = SM.getFileOffset(SM.translateLineCol(SM.getFileID(Loc), Number, 1));
    return Text.drop_front(Offset).split('\n').first.rtrim('\r').str();
  };
  return isAllowed(Line, SM.getSpellingLineNumber(Loc), Rule);
}

} // namespace cede
