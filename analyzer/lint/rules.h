//===- rules.h - the rules that need no paths ------------------------------===//
//
// Each rule looks at one translation unit and hands what it finds to a sink: the compile-time
// plugin turns findings into compiler warnings, cede-check collects them.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_LINT_RULES_H
#define CEDE_ANALYZER_LINT_RULES_H

#include "colours.h"

#include "clang/Lex/Preprocessor.h"
#include <string>
#include <vector>

namespace cede {

struct Note {
  clang::SourceLocation Loc;
  std::string Text;
};

/// Text to insert in front of a token.
struct Insertion {
  clang::SourceLocation Loc;
  std::string Text;
};

struct Finding {
  const char *Rule;
  clang::SourceLocation Loc;
  std::string Fact;
  std::string Repair;
  const clang::FunctionDecl *In = nullptr;
  std::vector<Note> Notes;
  std::vector<Insertion> Fixes;
};

/// What a rule may look at, and where its findings go.
struct LintContext {
  clang::ASTContext &Context;
  clang::Preprocessor &PP;
  const Colours &Facts;
  std::function<void(const Finding &)> Report;
  bool Strict = false; ///< report what cannot be proved

  const clang::SourceManager &sources() const { return Context.getSourceManager(); }
  /// Whether to speak about code at \p Loc at all: not in system headers.
  bool isOurs(clang::SourceLocation Loc) const;
  bool macroExists(llvm::StringRef Name) const;
};

void checkYieldsMissing(LintContext &Lint);
void checkSendPointer(LintContext &Lint);
void checkTlsOverYield(LintContext &Lint);
void checkBlockingCall(LintContext &Lint);

/// One rule: its name, what it says in a line, how findings are repaired.
struct RuleInfo {
  const char *Name;
  const char *Summary;
  const char *Repair;
  void (*Lint)(LintContext &); ///< null for path-sensitive rules
};

extern const RuleInfo Rules[];
extern const unsigned RuleCount;
const RuleInfo *findRule(llvm::StringRef Name);

} // namespace cede

#endif
