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
    NonBlockingFile = !Lint.Strict && (Text.contains("NONBLOCK") || Text.contains("MSG_DONTWAIT") ||
                                       Text.contains("FIONBIO"));
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
  llvm::SmallVector<const FunctionDecl *, 4> calleesOf(const CallExpr *Call);
  static void addFunctions(const Expr *Init, const FieldDecl *Field,
                           llvm::SmallVectorImpl<const FunctionDecl *> &Out);
  void followArguments(const CallExpr *Call, const FunctionDecl *Handler);
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

/// Whether an expression is the address of a time that is written as 0, as for a poll: `&none` with
/// `struct timeval none = {0}`, or a compound literal.
bool isNoTime(const Expr *E) {
  const auto *Address = dyn_cast<UnaryOperator>(E->IgnoreParenCasts());
  if (Address == nullptr || Address->getOpcode() != UO_AddrOf)
    return false;
  const Expr *Time = Address->getSubExpr()->IgnoreParenCasts();
  const Expr *Value = nullptr;
  if (const auto *Literal = dyn_cast<CompoundLiteralExpr>(Time))
    Value = Literal->getInitializer();
  else if (const auto *Ref = dyn_cast<DeclRefExpr>(Time))
    if (const auto *Var = dyn_cast<VarDecl>(Ref->getDecl()))
      Value = Var->getInit();
  const auto *List = dyn_cast_or_null<InitListExpr>(Value);
  if (List == nullptr)
    return false;
  for (const Expr *Part : List->inits()) {
    const auto *Number = dyn_cast<IntegerLiteral>(Part->IgnoreParenCasts());
    bool IsZero =
        isa<ImplicitValueInitExpr>(Part) || (Number != nullptr && Number->getValue() == 0);
    if (!IsZero)
      return false;
  }
  return true;
}

bool BlockingCalls::mayBlock(const CallExpr *Call, const Promise &P) {
  if (!P.Blocks || (P.UnlessNonBlocking && NonBlockingFile))
    return false;
  auto Argument = [Call](int Index) {
    return Index >= 0 && unsigned(Index) < Call->getNumArgs() ? Call->getArg(unsigned(Index))
                                                              : nullptr;
  };
  if (const Expr *Time = Argument(P.BlocksUnlessNoTime))
    return !isNoTime(Time);
  const Expr *Flags = Argument(P.BlocksUnlessBits), *Command = Argument(P.BlocksIfEqual);
  const Expr *Unless = Argument(P.BlocksUnlessZero), *If = Argument(P.BlocksIfZero);
  const Expr *Deciding = Flags != nullptr     ? Flags
                         : Command != nullptr ? Command
                         : Unless != nullptr  ? Unless
                                              : If;
  if (Deciding == nullptr)
    return true;
  Expr::EvalResult Value;
  if (!Deciding->EvaluateAsInt(Value, Lint.Context))
    return Lint.Strict && Command == nullptr; // most commands are no waits
  if (Flags != nullptr)
    return (Value.Val.getInt().getZExtValue() & P.FreeBits) == 0;
  if (Command != nullptr)
    return Value.Val.getInt() == P.BlockingValue;
  return (Value.Val.getInt() != 0) == (Unless != nullptr);
}

void BlockingCalls::follow(const FunctionDecl *F, const FunctionDecl *Handler) {
  const FunctionFacts *Facts = Lint.Facts.find(F);
  if (Facts == nullptr || !Seen.insert(Facts->Definition).second)
    return;
  for (const CallExpr *Call : Facts->Calls) {
    const Promise *Promised = promiseOfCall(Call);
    if (Promised != nullptr && mayBlock(Call, *Promised)) {
      report(Call, Facts->Definition, Handler);
      continue;
    }
    bool Blocks = false;
    for (const FunctionDecl *Callee : calleesOf(Call)) {
      if (Call->getDirectCallee() == nullptr && !Blocks && mayBlock(Call, promiseOf(Callee))) {
        report(Call, Facts->Definition, Handler);
        Blocks = true;
      }
      follow(Callee, Handler);
    }
    followArguments(Call, Handler);
  }
}

/// What a call may call, as far as the file shows: a function, or what a constant pointer or table
/// was given.
llvm::SmallVector<const FunctionDecl *, 4> BlockingCalls::calleesOf(const CallExpr *Call) {
  llvm::SmallVector<const FunctionDecl *, 4> Out;
  if (const FunctionDecl *F = Call->getDirectCallee()) {
    Out.push_back(F);
    return Out;
  }
  const Expr *Callee = Call->getCallee()->IgnoreParenImpCasts();
  const FieldDecl *Field = nullptr;
  if (const auto *Member = dyn_cast<MemberExpr>(Callee)) {
    Field = dyn_cast<FieldDecl>(Member->getMemberDecl());
    Callee = Member->isArrow() ? nullptr : Member->getBase();
  }
  const auto *Var = Callee != nullptr ? dyn_cast_or_null<VarDecl>(pointerSource(Callee)) : nullptr;
  // Of a local variable the first value counts, of others only one that does not change.
  bool Known = Var != nullptr && Var->hasInit() && !isa<ParmVarDecl>(Var) &&
               (Lint.Context.getBaseElementType(Var->getType()).isConstQualified() ||
                Var->hasLocalStorage());
  if (Known)
    addFunctions(Var->getInit(), Field, Out);
  return Out;
}

/// The functions in an initializer; of structs only those in \p Field.
void BlockingCalls::addFunctions(const Expr *Init, const FieldDecl *Field,
                                 llvm::SmallVectorImpl<const FunctionDecl *> &Out) {
  Init = Init->IgnoreParenImpCasts();
  const auto *List = dyn_cast<InitListExpr>(Init);
  if (List != nullptr && !List->isSemanticForm())
    List = List->getSemanticForm();
  if (List == nullptr) {
    if (const auto *F = dyn_cast_or_null<FunctionDecl>(pointerSource(Init)))
      Out.push_back(F);
    return;
  }
  const RecordDecl *Record = List->getType()->getAsRecordDecl();
  if (Record == nullptr) {
    for (const Expr *Element : List->inits())
      addFunctions(Element, Field, Out);
  } else if (Field != nullptr && Field->getParent() == Record) {
    if (const Expr *Value = fieldInit(List, Record, Field->getName()))
      addFunctions(Value, nullptr, Out);
  }
}

/// A function that is given to one of this file which calls it.
void BlockingCalls::followArguments(const CallExpr *Call, const FunctionDecl *Handler) {
  const FunctionDecl *Callee = Call->getDirectCallee();
  const FunctionFacts *Facts = Callee != nullptr ? Lint.Facts.find(Callee) : nullptr;
  if (Facts == nullptr)
    return;
  for (const CallExpr *Inner : Facts->Calls) {
    const auto *Param = dyn_cast_or_null<ParmVarDecl>(pointerSource(Inner->getCallee()));
    unsigned Index = Param != nullptr ? Param->getFunctionScopeIndex() : Call->getNumArgs();
    if (Index >= Call->getNumArgs())
      continue;
    if (const auto *F = dyn_cast_or_null<FunctionDecl>(pointerSource(Call->getArg(Index))))
      follow(F, Handler);
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
