//===- blocking_call.cpp - a turn blocks its worker --------------------------===//
//
// Rule: what a handler of an actor on a worker, or another function that yields, reaches in its
// file calls nothing that may stop the thread. Harm: a worker runs the turns of many actors, one at
// a time; they all wait with it. Example:
//     static cede_result on_save(cede_self *self, struct store *store, struct save *save) {
//         fsync(store->fd);                       // use cede_run_blocking, or .kind =
//         CEDE_BLOCKING
// Cannot see: which descriptors are non-blocking (a file that makes any so is believed), timeouts
// that are no constants, and what functions of other files do that do not say CEDE_BLOCKS.
//
//===----------------------------------------------------------------------===//
#include "evaluated.h"
#include "rules.h"

#include "llvm/ADT/SmallPtrSet.h"
#include <vector>

using namespace clang;

namespace cede {

namespace {

class BlockingCalls {
public:
  explicit BlockingCalls(LintContext &Lint) : Lint(Lint) {
    const SourceManager &SM = Lint.sources();
    llvm::StringRef Text = SM.getBufferData(SM.getMainFileID());
    NonBlockingFile =
        Text.contains("NONBLOCK") || Text.contains("MSG_DONTWAIT") || Text.contains("FIONBIO");
    for (const Decl *D : Lint.Context.getTranslationUnitDecl()->decls())
      if (const auto *Var = dyn_cast<VarDecl>(D))
        readTable(Var);
  }
  /// Notes what may block: what handlers of actors of the blocking kind reach, and the bodies of
  /// cede_main and cede_block_on.
  void excuse();
  void visitHandlers();
  /// Functions that say CEDE_YIELDS and belong to no behaviour here: steps of a turn, or handlers
  /// whose table is in another file.
  void visitSteps();

private:
  struct Table {
    bool Blocking;
    const FunctionDecl *Dispatch;
    std::vector<const FunctionDecl *> Handlers;
  };
  void readTable(const VarDecl *Var);
  void excuseReached(const FunctionDecl *F);
  void follow(const FunctionDecl *F, const FunctionDecl *Handler);
  bool mayBlock(const CallExpr *Call, const Promise &P);
  void report(const CallExpr *Call, const FunctionDecl *In, const FunctionDecl *Handler);

  LintContext &Lint;
  bool NonBlockingFile;
  std::vector<Table> Tables;
  llvm::SmallPtrSet<const FunctionDecl *, 16> Seen, Excused;
};

/// The initializer of a field, by the field's name; null when there is none.
const Expr *fieldInit(const InitListExpr *List, const RecordDecl *Record, llvm::StringRef Name) {
  unsigned Index = 0;
  for (const FieldDecl *Field : Record->fields()) {
    if (Index < List->getNumInits() && Field->getName() == Name)
      return List->getInit(Index);
    ++Index;
  }
  return nullptr;
}

void BlockingCalls::readTable(const VarDecl *Var) {
  const RecordDecl *Record = Var->getType()->getAsRecordDecl();
  if (Record == nullptr || Record->getName() != "cede_behaviour" || !Var->hasInit())
    return;
  const auto *List = dyn_cast<InitListExpr>(Var->getInit());
  if (List != nullptr && !List->isSemanticForm())
    List = List->getSemanticForm();
  if (List == nullptr)
    return;
  Expr::EvalResult Kind;
  const Expr *KindInit = fieldInit(List, Record, "kind");
  Table Out;
  Out.Blocking =
      KindInit != nullptr && KindInit->EvaluateAsInt(Kind, Lint.Context) && Kind.Val.getInt() != 0;
  const Expr *Dispatch = fieldInit(List, Record, "dispatch");
  const auto *F =
      Dispatch != nullptr ? dyn_cast_or_null<FunctionDecl>(pointerSource(Dispatch)) : nullptr;
  const FunctionFacts *Facts = F != nullptr ? Lint.Facts.find(F) : nullptr;
  if (Facts == nullptr)
    return;
  Out.Dispatch = F;
  if (!hasPrefix(F->getNameAsString(), "cedei_dispatch_")) {
    Out.Handlers.push_back(F); // written by hand
  } else {
    for (const CallExpr *Call : Facts->Calls)
      if (const FunctionDecl *Handler = Call->getDirectCallee())
        Out.Handlers.push_back(Handler);
  }
  Tables.push_back(Out);
}

void BlockingCalls::excuseReached(const FunctionDecl *F) {
  const FunctionFacts *Facts = Lint.Facts.find(F);
  if (Facts == nullptr || !Excused.insert(Facts->Definition).second)
    return;
  for (const CallExpr *Call : Facts->Calls)
    if (const FunctionDecl *Callee = Call->getDirectCallee())
      excuseReached(Callee);
}

void BlockingCalls::excuse() {
  for (const Table &T : Tables)
    if (T.Blocking)
      excuseReached(T.Dispatch);
  for (const FunctionFacts *Facts : Lint.Facts.functions()) {
    for (const CallExpr *Call : Facts->Calls) {
      const std::string Name = calleeName(Call);
      if (Name != "cede_main" && Name != "cede_block_on")
        continue;
      for (const Expr *Arg : Call->arguments())
        if (const auto *Body = dyn_cast_or_null<FunctionDecl>(pointerSource(Arg)))
          excuseReached(Body);
    }
  }
}

void BlockingCalls::visitHandlers() {
  for (const Table &T : Tables) {
    if (T.Blocking)
      continue;
    for (const FunctionDecl *Handler : T.Handlers)
      follow(Handler, Handler);
    Excused.insert(Lint.Facts.find(T.Dispatch)->Definition); // seen, through its handlers
  }
}

void BlockingCalls::visitSteps() {
  for (const FunctionFacts *Facts : Lint.Facts.functions()) {
    const FunctionDecl *F = Facts->Definition;
    if (Excused.count(F) == 0 && promiseOf(F).Yields && Lint.isOurs(F->getLocation()))
      follow(F, F);
  }
}

bool BlockingCalls::mayBlock(const CallExpr *Call, const Promise &P) {
  if (!P.Blocks || (P.UnlessNonBlocking && NonBlockingFile))
    return false;
  Expr::EvalResult Flags;
  if (P.BlocksUnlessBits >= 0 && unsigned(P.BlocksUnlessBits) < Call->getNumArgs())
    return Call->getArg(unsigned(P.BlocksUnlessBits))->EvaluateAsInt(Flags, Lint.Context) &&
           (Flags.Val.getInt().getZExtValue() & P.FreeBits) == 0;
  int Index = P.BlocksUnlessZero >= 0 ? P.BlocksUnlessZero : P.BlocksIfZero;
  if (Index < 0 || unsigned(Index) >= Call->getNumArgs())
    return true;
  Expr::EvalResult Value;
  if (!Call->getArg(unsigned(Index))->EvaluateAsInt(Value, Lint.Context))
    return false;
  return (Value.Val.getInt() != 0) == (P.BlocksUnlessZero >= 0);
}

void BlockingCalls::follow(const FunctionDecl *F, const FunctionDecl *Handler) {
  const FunctionFacts *Facts = Lint.Facts.find(F);
  if (Facts == nullptr || !Seen.insert(Facts->Definition).second)
    return;
  for (const CallExpr *Call : Facts->Calls) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    if (Callee == nullptr)
      continue;
    if (mayBlock(Call, promiseOf(Callee)))
      report(Call, Facts->Definition, Handler);
    else
      follow(Callee, Handler);
  }
}

void BlockingCalls::report(const CallExpr *Call, const FunctionDecl *In,
                           const FunctionDecl *Handler) {
  if (!Lint.isOurs(Call->getBeginLoc()))
    return;
  Finding Out;
  Out.Rule = "blocking-call";
  Out.Loc = Call->getBeginLoc();
  Out.In = In;
  Out.Fact = "'" + calleeName(Call) + "' may stop the thread, and ";
  Out.Fact += In->getCanonicalDecl() == Handler->getCanonicalDecl()
                  ? "'" + displayName(Handler) + "' runs on a worker"
                  : "'" + displayName(Handler) + "', which runs on a worker, reaches it";
  Out.Repair = findRule("blocking-call")->Repair;
  Out.Notes.push_back({Handler->getLocation(), Lint.Facts.isHandler(Handler)
                                                   ? "the handler is here"
                                                   : "it yields, so it runs in a turn"});
  Lint.Report(Out);
}

} // namespace

void checkBlockingCall(LintContext &Lint) {
  BlockingCalls Calls(Lint);
  Calls.excuse();
  Calls.visitHandlers();
  Calls.visitSteps();
}

} // namespace cede
