//===- rules.cpp - the list of rules ---------------------------------------===//
#include "rules.h"

using namespace clang;

namespace cede {

const RuleInfo Rules[] = {
    {"use-after-send", "a message is used after it was moved away",
     "use the message before it is moved, or copy what is needed later; on failure it is still "
     "yours",
     nullptr},
    {"message-leak",
     "a turn forgets a message, or leaves one in its actor's state without cede_keep",
     "send, keep or drop the message on every path; what the state holds goes through cede_keep",
     nullptr},
    {"guard-over-yield", "a guard is held over a yield",
     "give the guard back before the yield and take it again after it", nullptr},
    {"yields-missing", "a function that yields is not declared CEDE_YIELDS",
     "declare the function or the function-pointer type CEDE_YIELDS", checkYieldsMissing},
    {"send-pointer", "a type that is declared Send holds something that cannot be sent",
     "hold the value itself (cede_str, cede_bytes, a nested Send struct, a cede_ref), or vouch for "
     "the "
     "field with CEDE_ASSERT_SEND(\"reason\")",
     checkSendPointer},
    {"tls-over-yield", "a thread-local variable is used on both sides of a yield",
     "for errno use cede_errno; otherwise keep the value in the actor's state, or reach the "
     "variable "
     "through a noinline function on each side",
     checkTlsOverYield},
    {"blocking-call", "a turn on a worker calls a function that may block the thread",
     "move the call to cede_run_blocking, or make the actor CEDE_BLOCKING", checkBlockingCall},
};
const unsigned RuleCount = sizeof Rules / sizeof *Rules;

const RuleInfo *findRule(llvm::StringRef Name) {
  for (const RuleInfo &Rule : Rules)
    if (Name == Rule.Name)
      return &Rule;
  return nullptr;
}

bool LintContext::isOurs(SourceLocation Loc) const {
  return Loc.isValid() && !sources().isInSystemHeader(sources().getExpansionLoc(Loc));
}

bool LintContext::macroExists(llvm::StringRef Name) const { return PP.isMacroDefined(Name); }

} // namespace cede
