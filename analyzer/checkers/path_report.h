//===- path_report.h - what the path-sensitive rules share -----------------===//
//
// Where a finding is shown: in the function in which its two halves meet. A message that is sent in
// `f` and read by a callee of `f` is reported at the call in `f`, since that is where it is
// repaired; the notes lead to the line in the callee.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_CHECKERS_PATH_REPORT_H
#define CEDE_ANALYZER_CHECKERS_PATH_REPORT_H

#include "clang/StaticAnalyzer/Core/BugReporter/BugReporter.h"
#include "clang/StaticAnalyzer/Core/BugReporter/BugType.h"
#include "clang/StaticAnalyzer/Core/Checker.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/CallEvent.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/CheckerContext.h"

#include "../lint/colours.h"

namespace clang {
namespace ento {
class CheckerRegistry;
} // namespace ento
} // namespace clang

namespace cede {

/// A report whose place may be a caller of the node's function.
class PathReport : public clang::ento::PathSensitiveBugReport {
public:
  PathReport(const clang::ento::BugType &Type, llvm::StringRef Text,
             const clang::ento::ExplodedNode *Node, clang::ento::PathDiagnosticLocation Place)
      : PathSensitiveBugReport(Type, Text, Node, Place, Node->getLocationContext()->getDecl()),
        Place(Place) {}
  clang::ento::PathDiagnosticLocation place() const { return Place; }
  clang::ento::PathDiagnosticLocation getLocation() const override { return Place; }

private:
  clang::ento::PathDiagnosticLocation Place;
};

/// The statement to blame, and the frame it is in.
struct Blame {
  const clang::Stmt *Statement;
  const clang::StackFrameContext *Frame;
  bool InCallee; ///< the use itself is deeper
};

/// The statement of the frame in which \p Use (in \p UseFrame) and something done in \p OtherFrame
/// meet.
Blame meetingPoint(const clang::Stmt *Use, const clang::StackFrameContext *UseFrame,
                   const clang::StackFrameContext *OtherFrame);

clang::ento::PathDiagnosticLocation placeOf(const Blame &B, clang::ento::CheckerContext &C);

unsigned lineOf(const clang::Stmt *S, clang::ento::CheckerContext &C);

/// "line 12", or "order.h:12" when that is another file than the analysed one.
std::string placeText(const clang::Stmt *S, clang::ento::CheckerContext &C);

/// The text of an expression as the user wrote it, shortened; empty when it is inside of a macro.
std::string sourceText(const clang::Expr *E, clang::ento::CheckerContext &C);

/// What a user would write for a region, such as `state->pending` or `*order`; empty when there is
/// no name.
std::string regionName(const clang::ento::MemRegion *Region, unsigned Depth = 0);

/// Emits a report unless this rule has said something about the same place already.
void emitOnce(clang::ento::CheckerContext &C, std::unique_ptr<PathReport> Report);

/// What is promised about a call: of the function, or of the pointer that it goes through; or null.
const Promise *promiseOfEvent(const clang::ento::CallEvent &Call);

/// Whether a call that was not made a part of the path (no body, or too large) can yield.
bool opaqueCallYields(const clang::ento::CallEvent &Call, const Colours &Facts);

/// Whether clang's analyzer gave up following a loop and forgot all variables: what is known about
/// them is forgotten as well, so that no two facts from before and after the loop are put together.
bool isLoopWidening(llvm::ArrayRef<const clang::ento::MemRegion *> Explicit,
                    const clang::ento::CallEvent *Call);

/// Whether to report what cannot be proved (cede-check --strict).
bool &isStrict();

/// The facts of the translation unit under analysis, computed once.
const Colours &coloursOf(clang::ASTContext &Context);

/// The variable that an argument of type `T **` is the address of, without the cast to `void **`;
/// or null.
const clang::ento::MemRegion *holderOf(const clang::ento::CallEvent &Call, unsigned Index,
                                       clang::ento::CheckerContext &C);

/// Whether a call's result is thrown away, so that success and failure need not be told apart.
bool resultIsDiscarded(const clang::CallExpr *E, clang::ASTContext &Context);

/// Whether \p At lies in the block of \p Var, behind its declaration.
bool inScope(const clang::VarDecl *Var, const clang::Stmt *At, clang::ASTContext &Context);

/// The local variable that a region is (a part of), if a function is called with its address when
/// its scope ends (__attribute__((cleanup))); else null.
const clang::VarDecl *cleanedVariable(const clang::ento::MemRegion *Region);

/// Whether use-after-send knows that a message has moved away on this path.
bool isLostMessage(clang::ento::ProgramStateRef State, clang::ento::SymbolRef Message);

void registerUseAfterSend(clang::ento::CheckerRegistry &Registry);
void registerGuardOverYield(clang::ento::CheckerRegistry &Registry);
void registerGate(clang::ento::CheckerRegistry &Registry);
void registerMessageLeak(clang::ento::CheckerRegistry &Registry);

} // namespace cede

#endif
