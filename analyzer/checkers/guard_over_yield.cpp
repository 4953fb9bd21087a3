//===- guard_over_yield.cpp - a guard is held over a yield -----------------===//
//
// Rule: between taking a guard (cede_mutex_lock, pthread_mutex_lock, rcu_read_lock, any
// CEDE_ACQUIRED parameter, a value of a CEDE_GUARD type) and giving it back nothing yields. Harm:
// the turn goes on on another thread, which does not own the lock; until then the worker runs other
// actors, which may want the same lock: a deadlock that needs load to show.
// Example:
//     cede_mutex_lock(&table->lock);
//     r = cede_ask(self, peer, &request, answer, &reply, CEDE_SECONDS(1));   // yields with the
//     lock held cede_mutex_unlock(&table->lock);
// Cannot see: guards taken or given back by functions of other files that do not say so in their
// declaration, and guards whose address the analysis loses.
//
//===----------------------------------------------------------------------===//
#include "path_report.h"

#include "clang/AST/Attr.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"

using namespace clang;
using namespace ento;

namespace {
/// Where a guard was taken.
struct Hold {
  const Stmt *Taken;
  const StackFrameContext *Frame;
  const VarDecl *Value; ///< the variable that is the guard, for values of guard types

  bool operator==(const Hold &O) const {
    return Taken == O.Taken && Frame == O.Frame && Value == O.Value;
  }
  void Profile(llvm::FoldingSetNodeID &ID) const {
    ID.AddPointer(Taken);
    ID.AddPointer(Frame);
    ID.AddPointer(Value);
  }
};
} // namespace

/// Guards that are held, by their region; null stands for a section that has no object.
REGISTER_MAP_WITH_PROGRAMSTATE(HeldGuards, const MemRegion *, Hold)

namespace {

class GuardOverYield : public Checker<eval::Call, check::PreCall, check::PostCall, check::Bind,
                                      check::LiveSymbols, check::RegionChanges> {
public:
  bool evalCall(const CallEvent &Call, CheckerContext &C) const;
  void checkPreCall(const CallEvent &Call, CheckerContext &C) const;
  void checkPostCall(const CallEvent &Call, CheckerContext &C) const;
  void checkBind(SVal Where, SVal Value, const Stmt *S, CheckerContext &C) const;
  void checkLiveSymbols(ProgramStateRef State, SymbolReaper &Reaper) const;
  ProgramStateRef checkRegionChanges(ProgramStateRef State, const InvalidatedSymbols *,
                                     llvm::ArrayRef<const MemRegion *> Explicit,
                                     llvm::ArrayRef<const MemRegion *>, const LocationContext *,
                                     const CallEvent *Call) const {
    if (!cede::isLoopWidening(Explicit, Call))
      return State;
    for (const auto &Entry : State->get<HeldGuards>())
      if (!heldOnEveryPath(Entry.second, State->getStateManager().getContext()))
        State = State->remove<HeldGuards>(Entry.first);
    return State;
  }

private:
  static bool heldOnEveryPath(const Hold &H, ASTContext &Context);
  void checkYield(const CallEvent &Call, CheckerContext &C) const;
  void report(const CallEvent &Call, const MemRegion *Guard, const Hold &H,
              CheckerContext &C) const;
  void acquire(ProgramStateRef State, const CallEvent &Call, const MemRegion *Guard,
               CheckerContext &C) const;
  ProgramStateRef release(ProgramStateRef State, const MemRegion *Guard) const;
  ProgramStateRef releaseUnknown(ProgramStateRef State, const CallEvent &Call) const;
  const NoteTag *noteTaken(const MemRegion *Guard, StringRef Text, CheckerContext &C) const;

  BugType Bug{this, "guard-over-yield", "cede"};
};

const FunctionDecl *calleeOf(const CallEvent &Call) {
  return dyn_cast_or_null<FunctionDecl>(Call.getDecl());
}

/// The object that an argument names: what it points to, or for a struct passed by value the
/// variable.
const MemRegion *guardRegion(SVal Arg) {
  if (const MemRegion *Region = Arg.getAsRegion())
    return Region->StripCasts();
  if (auto Copy = Arg.getAs<nonloc::LazyCompoundVal>())
    return Copy->getRegion();
  return nullptr;
}

/// Whether a region is one fixed object, so that two different ones cannot be the same lock.
bool isPrecise(const MemRegion *Region) {
  if (Region == nullptr)
    return true;
  for (const auto *Sub = dyn_cast<SubRegion>(Region); Sub != nullptr;
       Sub = dyn_cast<SubRegion>(Sub->getSuperRegion())) {
    if (const auto *Element = dyn_cast<ElementRegion>(Sub))
      if (!Element->getIndex().isConstant())
        return false;
    if (isa<SymbolicRegion>(Sub))
      return false;
  }
  return true;
}

/// Whether two regions are different parts of one object, such as two locks of one struct.
bool areDifferentParts(const MemRegion *One, const MemRegion *Other) {
  if (One == nullptr || Other == nullptr)
    return false;
  RegionOffset A = One->getAsOffset(), B = Other->getAsOffset();
  return A.isValid() && B.isValid() && A.getRegion() == B.getRegion() && !A.hasSymbolicOffset() &&
         !B.hasSymbolicOffset() && A.getOffset() != B.getOffset();
}

std::string guardName(const MemRegion *Guard) {
  if (Guard == nullptr)
    return "the section";
  std::string Name = cede::regionName(Guard);
  // What is behind a pointer goes by the pointer's name.
  return Name.empty() ? "a lock" : "'" + Name.substr(Name[0] == '*' ? 1 : 0) + "'";
}

} // namespace

//===-- scopes ------------------------------------------------------------===//

/// Whether the function behind __attribute__((cleanup)) may give a guard back.
static bool cleanupReleases(const FunctionDecl *F, CheckerContext &C) {
  if (cede::promiseOf(F).releases())
    return true;
  const cede::FunctionFacts *Facts = cede::coloursOf(C.getASTContext()).find(F);
  if (Facts == nullptr)
    return true; // no body: believe the author
  for (const CallExpr *Call : Facts->Calls) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    if (Callee == nullptr || cede::promiseOf(Callee).releases())
      return true;
  }
  return false;
}

/// clang's analyzer does not run __attribute__((cleanup)): a guard that such a variable ends is
/// held only where the variable is in scope.
static bool endedByCleanup(const Hold &H, const cede::Blame &At, CheckerContext &C) {
  bool Any = false, AnyInScope = false;
  // The guard may be taken by a callee whose result is the variable.
  for (const StackFrameContext *Frame = H.Frame; Frame != nullptr;
       Frame = Frame == At.Frame || Frame->inTopFrame() ? nullptr
                                                        : Frame->getParent()->getStackFrame()) {
    const auto *F = dyn_cast<FunctionDecl>(Frame->getDecl());
    if (F == nullptr)
      return false;
    for (const Decl *D : F->decls()) {
      const auto *Var = dyn_cast<VarDecl>(D);
      const auto *Cleanup = Var != nullptr ? Var->getAttr<CleanupAttr>() : nullptr;
      if (Cleanup == nullptr || !cleanupReleases(Cleanup->getFunctionDecl(), C))
        continue;
      Any = true;
      AnyInScope |= Frame == At.Frame && cede::inScope(Var, At.Statement, C.getASTContext());
    }
  }
  return Any && !AnyInScope;
}

/// Whether a statement runs whenever its function does, as far as it gets.
static bool isUnconditional(const Stmt *S, ASTContext &Context) {
  DynTypedNodeList Parents = Context.getParentMapContext().getParents(*S);
  while (!Parents.empty()) {
    if (Parents[0].get<FunctionDecl>() != nullptr)
      return true;
    const auto *Parent = Parents[0].get<Stmt>();
    if (Parent != nullptr &&
        isa<IfStmt, SwitchStmt, ForStmt, WhileStmt, DoStmt, AbstractConditionalOperator, StmtExpr>(
            Parent))
      return false;
    if (const auto *Logical = dyn_cast_or_null<BinaryOperator>(Parent))
      if (Logical->isLogicalOp())
        return false;
    Parents = Context.getParentMapContext().getParents(Parents[0]);
  }
  return false;
}

/// Behind a loop that was not followed to its end no variable is known any more, so neither is
/// whether a condition that took a guard still holds where it is to be given back. Only a function
/// that takes and gives back without conditions is sure to hold it.
bool GuardOverYield::heldOnEveryPath(const Hold &H, ASTContext &Context) {
  const auto *F = dyn_cast<FunctionDecl>(H.Frame->getDecl());
  const cede::FunctionFacts *Facts = F != nullptr ? cede::coloursOf(Context).find(F) : nullptr;
  if (Facts == nullptr || !isUnconditional(H.Taken, Context))
    return false;
  for (const CallExpr *Call : Facts->Calls) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    bool MayRelease = Callee == nullptr || cede::promiseOf(Callee).releases();
    if (MayRelease && !isUnconditional(Call, Context))
      return false;
  }
  return true;
}

//===-- yields ------------------------------------------------------------===//

void GuardOverYield::report(const CallEvent &Call, const MemRegion *Guard, const Hold &H,
                            CheckerContext &C) const {
  const auto *E = dyn_cast<CallExpr>(Call.getOriginExpr());
  cede::Blame At = cede::meetingPoint(E, C.getStackFrame(), H.Frame);
  if (endedByCleanup(H, At, C) || (H.Value != nullptr && At.Frame == H.Frame &&
                                   !cede::inScope(H.Value, At.Statement, C.getASTContext())))
    return;
  // Said once for each taking; the path goes on, so that the next mistake on it is found as well.
  ExplodedNode *Node = C.generateNonFatalErrorNode(C.getState()->remove<HeldGuards>(Guard));
  if (Node == nullptr)
    return;
  std::string Text;
  llvm::raw_string_ostream OS(Text);
  OS << "'" << cede::calleeName(E) << "'";
  if (At.InCallee) {
    OS << " (" << cede::placeText(E, C);
    if (const auto *Outer = dyn_cast<CallExpr>(At.Statement))
      OS << ", called from '" << cede::calleeName(Outer) << "'";
    OS << ")";
  }
  OS << " may yield while " << guardName(Guard) << " is held, since line "
     << cede::lineOf(H.Taken, C);
  auto R = std::make_unique<cede::PathReport>(Bug, OS.str(), Node, cede::placeOf(At, C));
  if (Guard != nullptr)
    R->markInteresting(Guard);
  cede::emitOnce(C, std::move(R));
}

void GuardOverYield::checkYield(const CallEvent &Call, CheckerContext &C) const {
  if (!isa_and_nonnull<CallExpr>(Call.getOriginExpr()))
    return;
  ProgramStateRef State = C.getState();
  for (const auto &Entry : State->get<HeldGuards>()) {
    if (const auto *Symbolic = dyn_cast_or_null<SymbolicRegion>(Entry.first))
      if (State->getConstraintManager().isNull(State, Symbolic->getSymbol()).isConstrainedTrue())
        continue;
    report(Call, Entry.first, Entry.second, C);
    return;
  }
}

void GuardOverYield::checkPreCall(const CallEvent &Call, CheckerContext &C) const {
  if (C.getState()->get<HeldGuards>().isEmpty())
    return;
  const FunctionDecl *F = calleeOf(Call);
  bool Followed = F != nullptr && F->hasBody() && !cede::promiseOf(F).movesSomething();
  if (!Followed && cede::opaqueCallYields(Call, cede::coloursOf(C.getASTContext())))
    checkYield(Call, C);
}

//===-- taking and giving back --------------------------------------------===//

/// A call that only takes or gives back a guard would otherwise make everything unknown that the
/// guard is a part of, such as the links of the list that is being locked.
bool GuardOverYield::evalCall(const CallEvent &Call, CheckerContext &C) const {
  const FunctionDecl *F = calleeOf(Call);
  const cede::Promise *Known = cede::promiseOfEvent(Call);
  const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
  if (Known == nullptr || E == nullptr || (F != nullptr && F->hasBody()) ||
      Call.getResultType()->isRecordType())
    return false;
  const cede::Promise &P = *Known;
  if (P.movesSomething() || (!P.acquires() && !P.releases()))
    return false;
  for (unsigned I = 0; I < P.Params.size() && I < Call.getNumArgs(); ++I)
    if (!P.Params[I].Acquired && !P.Params[I].AcquiredOnZero && !P.Params[I].Released &&
        !P.Params[I].Borrowed && Call.getArgExpr(I)->getType()->isPointerType())
      return false;
  ProgramStateRef State = C.getState();
  if (!Call.getResultType()->isVoidType()) {
    SVal Result = C.getSValBuilder().conjureSymbolVal(this, E, C.getLocationContext(),
                                                      Call.getResultType(), C.blockCount());
    State = State->BindExpr(E, C.getLocationContext(), Result);
  }
  C.addTransition(State);
  return true;
}

const NoteTag *GuardOverYield::noteTaken(const MemRegion *Guard, StringRef Text,
                                         CheckerContext &C) const {
  const BugType *Mine = &Bug;
  std::string Words = Text.str();
  return C.getNoteTag([=](PathSensitiveBugReport &R) -> std::string {
    bool About = &R.getBugType() == Mine && (Guard == nullptr || R.isInteresting(Guard));
    return About ? Words : "";
  });
}

void GuardOverYield::acquire(ProgramStateRef State, const CallEvent &Call, const MemRegion *Guard,
                             CheckerContext &C) const {
  const VarDecl *Value = nullptr;
  if (const auto *Var = dyn_cast_or_null<VarRegion>(Guard))
    if (cede::typeHasAnnotation(Var->getValueType(), "cede::guard"))
      Value = Var->getDecl();
  State = State->set<HeldGuards>(Guard, Hold{Call.getOriginExpr(), C.getStackFrame(), Value});
  C.addTransition(State, noteTaken(Guard, guardName(Guard) + " is taken here", C));
}

ProgramStateRef GuardOverYield::release(ProgramStateRef State, const MemRegion *Guard) const {
  if (State->contains<HeldGuards>(Guard))
    return State->remove<HeldGuards>(Guard);
  // Not one that is known to be held: it may be another name of one that is.
  for (const auto &Entry : State->get<HeldGuards>())
    if ((!isPrecise(Entry.first) || !isPrecise(Guard)) && !areDifferentParts(Entry.first, Guard))
      State = State->remove<HeldGuards>(Entry.first);
  return State;
}

/// Whether a function's name says that it gives something back.
static bool soundsLikeRelease(const CallEvent &Call) {
  const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
  std::string Name = E != nullptr ? StringRef(cede::calleeName(E)).lower() : "";
  bool Unlocks = StringRef(Name).contains("unlock") && !StringRef(Name).contains("unlocked");
  if (Unlocks || StringRef(Name).contains("release"))
    return true;
  for (StringRef Rest = Name; !Rest.empty();) {
    StringRef Word;
    std::tie(Word, Rest) = Rest.split('_');
    for (const char *Last : {"leave", "give", "exit", "end", "done", "finish", "put", "close",
                             "free", "destroy", "fini", "cleanup"})
      if (Word == Last)
        return true;
  }
  return false;
}

/// A function without a body that is given the very guard may give it back; so may one that is
/// given what the guard is in, if it is named so.
ProgramStateRef GuardOverYield::releaseUnknown(ProgramStateRef State, const CallEvent &Call) const {
  const cede::Promise *P = cede::promiseOfEvent(Call);
  for (unsigned I = 0; I < Call.getNumArgs(); ++I) {
    const MemRegion *Region = guardRegion(Call.getArgSVal(I));
    bool Borrowed = P != nullptr && I < P->Params.size() && P->Params[I].Borrowed;
    // Of the C library only what is named so gives anything back: putc_unlocked does not.
    if (Region == nullptr || Borrowed || (Call.isInSystemHeader() && !soundsLikeRelease(Call)))
      continue;
    if (State->contains<HeldGuards>(Region))
      State = State->remove<HeldGuards>(Region);
    if (!soundsLikeRelease(Call))
      continue;
    for (const auto &Entry : State->get<HeldGuards>()) {
      const auto *Part = dyn_cast_or_null<SubRegion>(Entry.first);
      if (Part != nullptr && Part->isSubRegionOf(Region))
        State = State->remove<HeldGuards>(Entry.first);
    }
  }
  return State;
}

void GuardOverYield::checkPostCall(const CallEvent &Call, CheckerContext &C) const {
  const FunctionDecl *F = calleeOf(Call);
  const cede::Promise *Known = cede::promiseOfEvent(Call);
  ProgramStateRef State = C.getState();
  bool Annotated = Known != nullptr && (Known->acquires() || Known->releases());
  if (F != nullptr && F->hasBody() && !Annotated) {
    if (!C.wasInlined && !cede::promiseOf(F).movesSomething() &&
        cede::coloursOf(C.getASTContext()).yields(F))
      checkYield(Call, C);
    return;
  }
  if (!Annotated) {
    State = releaseUnknown(State, Call);
    if (State != C.getState())
      C.addTransition(State);
  }
  if (Known == nullptr)
    return;
  const cede::Promise &P = *Known;
  if (P.ScopelessRelease)
    State = State->remove<HeldGuards>(static_cast<const MemRegion *>(nullptr));
  for (unsigned I = 0; I < P.Params.size() && I < Call.getNumArgs(); ++I)
    if (P.Params[I].Released)
      if (const MemRegion *Guard = guardRegion(Call.getArgSVal(I)))
        State = release(State, Guard);
  if (P.ScopelessAcquire) {
    acquire(State, Call, nullptr, C);
    return;
  }
  for (unsigned I = 0; I < P.Params.size() && I < Call.getNumArgs(); ++I) {
    const cede::ParamPromise &Param = P.Params[I];
    const MemRegion *Guard = guardRegion(Call.getArgSVal(I));
    if (Guard == nullptr || (!Param.Acquired && !Param.AcquiredOnZero))
      continue;
    auto Result = Call.getReturnValue().getAs<DefinedOrUnknownSVal>();
    if (Param.Acquired || !Result) {
      acquire(State, Call, Guard, C);
      return;
    }
    auto Split = State->assume(*Result);
    bool TrueIsSuccess = Call.getResultType()->isBooleanType();
    ProgramStateRef Taken = TrueIsSuccess ? Split.first : Split.second;
    ProgramStateRef Failed = TrueIsSuccess ? Split.second : Split.first;
    if (Taken)
      acquire(Taken, Call, Guard, C);
    const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
    bool Unchecked = Taken && E != nullptr && cede::resultIsDiscarded(E, C.getASTContext());
    if (Failed && !Unchecked)
      C.addTransition(Failed);
    return;
  }
  const MemRegion *Returned = Call.getReturnValue().getAsRegion();
  if (Returned != nullptr && Call.getResultType()->isPointerType() &&
      cede::typeHasAnnotation(Call.getResultType(), "cede::guard")) {
    acquire(State, Call, Returned->StripCasts(), C);
    return;
  }
  if (State != C.getState())
    C.addTransition(State);
}

/// Whether an initializer says that there is nothing yet: {0}, {}, {NULL}.
static bool isZero(const Expr *E, ASTContext &Context) {
  E = E->IgnoreParenCasts();
  if (const auto *Literal = dyn_cast<CompoundLiteralExpr>(E))
    E = Literal->getInitializer()->IgnoreParenCasts();
  if (isa<ImplicitValueInitExpr>(E))
    return true;
  if (const auto *List = dyn_cast<InitListExpr>(E)) {
    for (const Expr *Part : List->inits())
      if (Part != nullptr && !isZero(Part, Context))
        return false;
    return true;
  }
  Expr::EvalResult Result;
  return E->isNullPointerConstant(Context, Expr::NPC_ValueDependentIsNotNull) !=
             Expr::NPCK_NotNull ||
         (E->EvaluateAsInt(Result, Context) && Result.Val.getInt().isZero());
}

/// Whether an expression makes a new guard: a call, or a list of what is in it.
static bool makesGuard(const Expr *Source, ASTContext &Context) {
  Source = Source->IgnoreParenImpCasts();
  return isa<CallExpr>(Source) ||
         (isa<InitListExpr, CompoundLiteralExpr>(Source) && !isZero(Source, Context));
}

/// `guard = take(...)` or `guard = {...}`: a value of a guard type.
void GuardOverYield::checkBind(SVal Where, SVal, const Stmt *S, CheckerContext &C) const {
  const auto *Var = dyn_cast_or_null<VarRegion>(Where.getAsRegion());
  if (Var == nullptr || !Var->getValueType()->isRecordType() ||
      !cede::typeHasAnnotation(Var->getValueType(), "cede::guard"))
    return;
  const Expr *Source = nullptr;
  if (const auto *Decls = dyn_cast_or_null<DeclStmt>(S)) {
    for (const Decl *D : Decls->decls())
      if (const auto *V = dyn_cast<VarDecl>(D))
        if (V->getCanonicalDecl() == Var->getDecl()->getCanonicalDecl())
          Source = V->getInit();
  } else if (const auto *Assign = dyn_cast_or_null<BinaryOperator>(S)) {
    Source = Assign->isAssignmentOp() ? Assign->getRHS() : nullptr;
  }
  if (Source == nullptr || !makesGuard(Source, C.getASTContext()))
    return;
  Hold H{Source->IgnoreParenImpCasts(), C.getStackFrame(), Var->getDecl()};
  C.addTransition(C.getState()->set<HeldGuards>(Var, H),
                  noteTaken(Var, guardName(Var) + " is taken here", C));
}

void GuardOverYield::checkLiveSymbols(ProgramStateRef State, SymbolReaper &Reaper) const {
  for (const auto &Entry : State->get<HeldGuards>())
    if (Entry.first != nullptr)
      if (const auto *Symbolic = dyn_cast<SymbolicRegion>(Entry.first->getBaseRegion()))
        Reaper.markLive(Symbolic->getSymbol());
}

void cede::registerGuardOverYield(CheckerRegistry &Registry) {
  Registry.addChecker<GuardOverYield>("cede.guard-over-yield", "A guard is held over a yield", "");
}
