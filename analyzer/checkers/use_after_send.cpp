//===- use_after_send.cpp - a message is used after it was moved -----------===//
//
// Rule: after a call that moved a message away (cede_send, cede_reply, cede_ask, cede_drop,
// cede_keep, any function with a CEDE_MOVED or CEDE_DROPPED parameter) its old address is not used
// any more. Harm: another thread owns the message, changes it and frees it: a data race, then a use
// after free. Example:
//     struct order *alias = order;
//     if (cede_send(self, to, &order) == CEDE_OK)
//         printf("%u\n", alias->id);             // the receiver may have freed it
// Cannot see: aliases made in another file, aliases in containers behind opaque calls, loops whose
// first bad iteration comes after the fourth.
//
// How: the value of the message pointer is marked in the state. A moving call is evaluated here:
// the result splits the path; on success the variable gets a fresh symbol that stands for "NULL
// because it was moved" instead of NULL, so that a use of it is this rule's finding and no
// anonymous null dereference; evalAssume makes paths impossible on which such a symbol is not NULL.
//
//===----------------------------------------------------------------------===//
#include "owned_parts.h"
#include "path_report.h"
#include "uses.h"

#include "clang/AST/Attr.h"
#include "clang/AST/ParentMapContext.h"
#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"

using namespace clang;
using namespace ento;
using cede::baseSymbol;
using cede::isOwningField;
using cede::onlyPrintsAddress;
using cede::owningFields;
using cede::owningPlace;
using cede::owningSymbol;
using cede::placeType;
using cede::pointerOf;
using cede::valueIn;

namespace {

enum class Fate { Sent, MaybeSent, Dropped, Kept };

/// How a message was lost.
struct Loss {
  const CallExpr *Call;
  const StackFrameContext *Frame;
  const MemRegion *Holder; ///< the variable that was given to the call; null for a pointer by value
  Fate How;
  Store Before; ///< the memory at that moment: what the message owned then went with it

  bool operator==(const Loss &O) const {
    return Call == O.Call && Frame == O.Frame && Holder == O.Holder && How == O.How &&
           Before == O.Before;
  }
  void Profile(llvm::FoldingSetNodeID &ID) const {
    ID.AddPointer(Call);
    ID.AddPointer(Frame);
    ID.AddPointer(Holder);
    ID.AddInteger(unsigned(How));
    ID.AddPointer(Before); // another path may have moved a part out
  }
};

/// A place that outlives the turn and held an address in a message when that was lost, or was given
/// one later, by \p Store.
struct StalePlace {
  SymbolRef Message;
  SVal Value;
  const Stmt *Store = nullptr;
  const StackFrameContext *Frame = nullptr;
  bool operator==(const StalePlace &O) const {
    return Message == O.Message && Value == O.Value && Store == O.Store && Frame == O.Frame;
  }
  void Profile(llvm::FoldingSetNodeID &ID) const {
    ID.AddPointer(Message);
    Value.Profile(ID);
    ID.AddPointer(Store);
    ID.AddPointer(Frame);
  }
};

} // namespace

/// Addresses of messages that have moved away.
REGISTER_MAP_WITH_PROGRAMSTATE(LostMessages, SymbolRef, Loss)
/// Symbols that stand for the NULL that a moving call stored.
REGISTER_MAP_WITH_PROGRAMSTATE(NulledValues, SymbolRef, Loss)
REGISTER_MAP_WITH_PROGRAMSTATE(StalePlaces, const MemRegion *, StalePlace)
/// Pointers that this function stored in memory that outlives the turn.
REGISTER_MAP_WITH_PROGRAMSTATE(OuterStores, const MemRegion *, SVal)
/// Texts and lists that were copied into another message, which may own them from there on.
REGISTER_SET_WITH_PROGRAMSTATE(CopiedParts, SymbolRef)
/// What the parameters of the analysed function point to: it outlives the turn, so what is stored
/// there matters at the end, long after the parameter was used last.
REGISTER_SET_WITH_PROGRAMSTATE(OuterMemory, SymbolRef)
/// What is in variables that are given to a function when their scope ends
/// (__attribute__((cleanup))).
REGISTER_MAP_WITH_PROGRAMSTATE(CleanedValues, const MemRegion *, SVal)

namespace {

class UseAfterSend : public Checker<eval::Call, eval::Assume, check::BeginFunction, check::PreCall,
                                    check::PostCall, check::Bind, check::Location,
                                    check::PreStmt<ReturnStmt>, check::EndFunction,
                                    check::LiveSymbols, check::DeadSymbols, check::RegionChanges> {
public:
  void checkPostCall(const CallEvent &Call, CheckerContext &C) const;
  void checkBind(SVal Where, SVal Value, const Stmt *S, CheckerContext &C) const;
  void checkBeginFunction(CheckerContext &C) const;
  bool evalCall(const CallEvent &Call, CheckerContext &C) const;
  ProgramStateRef evalAssume(ProgramStateRef State, SVal Cond, bool Assumption) const;
  void checkPreCall(const CallEvent &Call, CheckerContext &C) const;
  void checkLocation(SVal Loc, bool IsLoad, const Stmt *S, CheckerContext &C) const;
  void checkPreStmt(const ReturnStmt *Return, CheckerContext &C) const;
  void checkEndFunction(const ReturnStmt *Return, CheckerContext &C) const;
  void checkLiveSymbols(ProgramStateRef State, SymbolReaper &Reaper) const;
  void checkDeadSymbols(SymbolReaper &Reaper, CheckerContext &C) const;
  ProgramStateRef checkRegionChanges(ProgramStateRef State, const InvalidatedSymbols *,
                                     llvm::ArrayRef<const MemRegion *> Explicit,
                                     llvm::ArrayRef<const MemRegion *> Changed,
                                     const LocationContext *, const CallEvent *Call) const;

private:
  struct Outcome {
    bool Success; ///< the result says so
    bool Moved;   ///< the messages of Moved / MaybeMoved parameters are gone
    SVal Result;
    ProgramStateRef State;
  };
  void outcomes(const CallEvent &Call, const cede::Promise &P, const CallExpr *E, CheckerContext &C,
                llvm::SmallVectorImpl<Outcome> &Out) const;
  ProgramStateRef loseArgument(ProgramStateRef State, const CallEvent &Call, unsigned Index,
                               const cede::ParamPromise &P, const cede::Promise &Whole,
                               const CallExpr *E, Outcome &O, CheckerContext &C) const;
  ProgramStateRef giveArgument(ProgramStateRef State, const CallEvent &Call, unsigned Index,
                               const CallExpr *E, CheckerContext &C) const;
  ProgramStateRef watchStalePlaces(ProgramStateRef State, SymbolRef Message,
                                   const MemRegion *Holder, bool WithOrigin) const;
  void report(SymbolRef Message, const Loss &L, bool Nulled, const Stmt *Use, StringRef What,
              StringRef Verb, CheckerContext &C) const;
  void checkCleanups(CheckerContext &C) const;
  void reportAt(SymbolRef Message, const Loss &L, const cede::Blame &At, StringRef Text,
                CheckerContext &C, ExplodedNode *Node) const;
  const NoteTag *noteLoss(SymbolRef Message, SymbolRef Nulled, const CallExpr *E, const Loss &L,
                          CheckerContext &C) const;

  BugType Bug{this, "use-after-send", "cede"};
};

const cede::Promise *promiseIfOwnership(const CallEvent &Call) {
  const cede::Promise *P = cede::promiseOfEvent(Call);
  return P != nullptr && P->movesSomething() ? P : nullptr;
}

const char *fateText(Fate How) {
  switch (How) {
  case Fate::Sent:
    return "sent";
  case Fate::MaybeSent:
    return "sent";
  case Fate::Dropped:
    return "dropped";
  case Fate::Kept:
    return "kept";
  }
  return "moved";
}

struct Found {
  SymbolRef Symbol = nullptr;
  const Loss *How = nullptr;
  bool Nulled = false;
};

/// Whether the message of \p L still owned a part when it was lost: a text may have been moved into
/// another message before.
bool wentAlong(ProgramStateRef State, const Loss &L, SymbolRef Part) {
  const TypedValueRegion *Place = owningPlace(Part);
  if (Place == nullptr)
    return true;
  StoreManager &Stores = State->getStateManager().getStoreManager();
  SymbolRef Then =
      Stores.getBinding(L.Before, loc::MemRegionVal(Place), Place->getValueType()).getAsSymbol();
  if (Then == Part)
    return true;
  // An opaque call was given the message in between, and may have changed the place.
  return Then != nullptr && Then->getOriginRegion() == Place && !State->contains<CopiedParts>(Part);
}

/// Whether \p Sym is the address of a lost message or of something that it owns.
Found findLost(ProgramStateRef State, SymbolRef Sym) {
  llvm::SmallVector<SymbolRef, 4> Parts;
  for (unsigned Depth = 0; Sym != nullptr && Depth < 4; ++Depth) {
    if (const Loss *L = State->get<LostMessages>(Sym)) {
      for (SymbolRef Part : Parts)
        if (!wentAlong(State, *L, Part))
          return {};
      return {Sym, L, false};
    }
    if (const Loss *L = State->get<NulledValues>(Sym))
      return {Sym, L, true};
    Parts.push_back(Sym);
    Sym = owningSymbol(State, Sym);
  }
  return {};
}

/// Whether memory is there after the turn: globals, and what the parameters lead to.
bool outlivesTurn(const MemRegion *Place) {
  const MemRegion *Base = Place->getBaseRegion();
  if (const auto *Var = dyn_cast<VarRegion>(Base))
    return Var->getDecl()->hasGlobalStorage();
  const auto *Symbolic = dyn_cast<SymbolicRegion>(Base);
  return Symbolic != nullptr && isa<SymbolRegionValue>(Symbolic->getSymbol());
}

std::string describeHolder(const Loss &L) { return cede::regionName(L.Holder); }

} // namespace

//===-- moving calls ------------------------------------------------------===//

/// Assumes that a result is none of those that say that nothing was sent.
static ProgramStateRef exceptRefusals(ProgramStateRef State, SVal Result, QualType Type,
                                      CheckerContext &C) {
  static const char *const Refusals[] = {"CEDE_EFULL",  "CEDE_ENOACTOR", "CEDE_EINVAL",
                                         "CEDE_EOWNER", "CEDE_ENOTSUP",  "CEDE_ETOOBIG",
                                         "CEDE_ENOMEM"};
  const auto *Enum = Type->getAs<EnumType>();
  if (Enum == nullptr)
    return State;
  SValBuilder &SVB = C.getSValBuilder();
  for (const EnumConstantDecl *Code : Enum->getDecl()->enumerators()) {
    bool Refuses = false;
    for (const char *Name : Refusals)
      Refuses |= Code->getName() == Name;
    if (!Refuses)
      continue;
    SVal Same = SVB.evalEQ(State, Result, SVB.makeIntVal(Code->getInitVal().getExtValue(), Type));
    auto Known = Same.getAs<DefinedOrUnknownSVal>();
    if (Known && State)
      State = State->assume(*Known, false);
    if (!State)
      return nullptr;
  }
  return State;
}

void UseAfterSend::outcomes(const CallEvent &Call, const cede::Promise &P, const CallExpr *E,
                            CheckerContext &C, llvm::SmallVectorImpl<Outcome> &Out) const {
  SValBuilder &SVB = C.getSValBuilder();
  const LocationContext *LCtx = C.getLocationContext();
  QualType Type = Call.getResultType();
  ProgramStateRef State = C.getState();
  bool Splits = false, MayMoveOnFailure = false, Gives = false;
  for (const cede::ParamPromise &Param : P.Params) {
    Splits |= Param.Moved || Param.MaybeMoved || Param.Given;
    MayMoveOnFailure |= Param.MaybeMoved;
    Gives |= Param.Given;
  }
  if (Type->isVoidType()) {
    Out.push_back({true, true, UnknownVal(), State});
    return;
  }
  SVal Any = SVB.conjureSymbolVal(this, E, LCtx, Type, C.blockCount());
  bool IsCode = Type->isIntegralOrEnumerationType();
  if (!Splits || !IsCode) {
    Out.push_back({true, true, Any, State});
    return;
  }
  auto Assumed = State->assume(Any.castAs<DefinedOrUnknownSVal>());
  ProgramStateRef NonZero = Assumed.first, Zero = Assumed.second;
  bool TrueIsSuccess = Type->isBooleanType();
  ProgramStateRef Good = TrueIsSuccess ? NonZero : Zero;
  ProgramStateRef Bad = TrueIsSuccess ? Zero : NonZero;
  SVal GoodValue = TrueIsSuccess ? Any : SVB.makeIntVal(0, Type);
  SVal BadValue = TrueIsSuccess ? SVB.makeIntVal(0, Type) : Any;
  if (Good)
    Out.push_back({true, true, GoodValue, Good});
  bool Discarded = cede::resultIsDiscarded(E, C.getASTContext());
  if (Bad && (!Discarded || Gives)) {
    Out.push_back({false, false, BadValue, Bad});
    ProgramStateRef Gone = MayMoveOnFailure ? exceptRefusals(Bad, Any, Type, C) : nullptr;
    if (Gone)
      Out.push_back({false, true, BadValue, Gone});
  }
}

/// A call without ownership would have invalidated what its other pointer arguments point to.
static ProgramStateRef invalidateRest(ProgramStateRef State, const CallEvent &Call,
                                      const cede::Promise &P, const CallExpr *E,
                                      CheckerContext &C) {
  llvm::SmallVector<SVal, 4> Values;
  for (unsigned I = 0; I < Call.getNumArgs(); ++I) {
    bool Owned = I < P.Params.size() && (P.Params[I].moves() || P.Params[I].Given);
    QualType Pointee = Call.getArgExpr(I)->IgnoreParenImpCasts()->getType()->getPointeeType();
    if (Owned || Pointee.isNull() || Pointee.isConstQualified() || Pointee->isFunctionType() ||
        Pointee->isIncompleteType())
      continue;
    Values.push_back(Call.getArgSVal(I));
  }
  const CallEvent *Globals = P.Yields ? &Call : nullptr;
  if (Values.empty() && Globals == nullptr)
    return State;
  return State->invalidateRegions(Values, E, C.blockCount(), C.getLocationContext(),
                                  /*CausesPointerEscape=*/true, nullptr, Globals);
}

const NoteTag *UseAfterSend::noteLoss(SymbolRef Message, SymbolRef Nulled, const CallExpr *E,
                                      const Loss &L, CheckerContext &C) const {
  std::string Name = describeHolder(L);
  std::string Text = (Name.empty() ? "the message" : "'" + Name + "'") + " is " + fateText(L.How) +
                     " here by " + cede::calleeName(E);
  const BugType *Mine = &Bug;
  return C.getNoteTag([=](PathSensitiveBugReport &R) -> std::string {
    if (&R.getBugType() != Mine)
      return "";
    bool About = (Message != nullptr && R.isInteresting(Message)) ||
                 (Nulled != nullptr && R.isInteresting(Nulled));
    return About ? Text : "";
  });
}

/// Remembers who still knows the message: what this function stored somewhere, and the place that
/// it took the pointer from (\p WithOrigin).
/// \p Place, which outlives the turn, must not hold an address of a lost message at the end.
static ProgramStateRef watchPlace(ProgramStateRef State, const MemRegion *Place,
                                  const StalePlace &Stale) {
  const auto *Symbolic = dyn_cast<SymbolicRegion>(Place->getBaseRegion());
  bool InItself = Symbolic != nullptr && Symbolic->getSymbol() == Stale.Message;
  return InItself ? State : State->set<StalePlaces>(Place, Stale);
}

ProgramStateRef UseAfterSend::watchStalePlaces(ProgramStateRef State, SymbolRef Message,
                                               const MemRegion *Holder, bool WithOrigin) const {
  auto Watch = [&](const MemRegion *Place, SVal Value) {
    if (Place != Holder && outlivesTurn(Place))
      State = watchPlace(State, Place, {Message, Value});
  };
  for (const auto &Entry : State->get<OuterStores>()) {
    SymbolRef Sym = baseSymbol(Entry.second);
    for (unsigned Depth = 0; Sym != nullptr && Sym != Message && Depth < 4; ++Depth)
      Sym = owningSymbol(State, Sym);
    if (Sym == Message && valueIn(State, Entry.first) == Entry.second)
      Watch(Entry.first, Entry.second);
  }
  const MemRegion *Origin = WithOrigin ? Message->getOriginRegion() : nullptr;
  if (Origin != nullptr && isa<TypedValueRegion>(Origin)) {
    SVal Value = valueIn(State, Origin);
    if (Value.getAsLocSymbol() == Message)
      Watch(Origin, Value);
  }
  return State;
}

ProgramStateRef UseAfterSend::loseArgument(ProgramStateRef State, const CallEvent &Call,
                                           unsigned Index, const cede::ParamPromise &P,
                                           const cede::Promise &Whole, const CallExpr *E,
                                           Outcome &O, CheckerContext &C) const {
  if (!P.Dropped && !O.Success && !(P.MaybeMoved && O.Moved))
    return State;
  SVal Arg = Call.getArgSVal(Index);
  SVal Message = Arg;
  const MemRegion *Holder = nullptr;
  if (!P.ByValue) {
    Holder = cede::holderOf(Call, Index, C);
    if (Holder == nullptr)
      return State;
    Message = State->getSVal(loc::MemRegionVal(Holder), C.getASTContext().VoidPtrTy);
  }
  Store Before = C.getState()->getStore();
  C.getStoreManager().incrementReferenceCount(Before); // it lives as long as the state's entries
  Loss L{E, C.getStackFrame(), Holder, Fate::Sent, Before};
  if (P.Dropped)
    L.How = Whole.ReturnsKept ? Fate::Kept : Fate::Dropped;
  else if (!O.Success)
    L.How = Fate::MaybeSent;
  if (State->isNull(Message).isConstrainedTrue())
    return P.Dropped ? State : nullptr; // NULL cannot be sent: only the failure goes on
  SymbolRef Sym = Message.getAsLocSymbol();
  bool AlreadyNulled = Sym != nullptr && State->get<NulledValues>(Sym) != nullptr;
  if (AlreadyNulled)
    return P.Dropped ? State : nullptr;
  if (Sym != nullptr) {
    if (auto Defined = Message.getAs<DefinedOrUnknownSVal>())
      if (!P.Dropped)
        State = State->assume(*Defined, true);
    if (!State)
      return nullptr;
    State = State->set<LostMessages>(Sym, L);
    State = watchStalePlaces(State, Sym, Holder, !P.ByValue);
  }
  if (P.ByValue)
    return State;
  QualType Pointer = C.getASTContext().VoidPtrTy;
  if (const auto *Typed = dyn_cast<TypedValueRegion>(Holder))
    if (Typed->getValueType()->isPointerType())
      Pointer = Typed->getValueType();
  SVal Nulled = C.getSValBuilder().conjureSymbolVal(Holder, E, C.getLocationContext(), Pointer,
                                                    C.blockCount());
  if (SymbolRef NulledSym = Nulled.getAsLocSymbol())
    State = State->set<NulledValues>(NulledSym, L);
  State = State->remove<CleanedValues>(Holder);
  return State->bindLoc(loc::MemRegionVal(Holder), Nulled, C.getLocationContext());
}

ProgramStateRef UseAfterSend::giveArgument(ProgramStateRef State, const CallEvent &Call,
                                           unsigned Index, const CallExpr *E,
                                           CheckerContext &C) const {
  const MemRegion *Holder = cede::holderOf(Call, Index, C);
  if (Holder == nullptr)
    return State;
  QualType Pointer = C.getASTContext().VoidPtrTy;
  if (const auto *Typed = dyn_cast<TypedValueRegion>(Holder))
    if (Typed->getValueType()->isPointerType())
      Pointer = Typed->getValueType();
  // Another symbol than that of a message that the same variable lost in this call.
  DefinedOrUnknownSVal Message =
      C.getSValBuilder().conjureSymbolVal(&Bug, E, C.getLocationContext(), Pointer, C.blockCount());
  State = State->assume(Message, true);
  return State == nullptr
             ? nullptr
             : State->bindLoc(loc::MemRegionVal(Holder), Message, C.getLocationContext());
}

bool UseAfterSend::evalCall(const CallEvent &Call, CheckerContext &C) const {
  const cede::Promise *P = promiseIfOwnership(Call);
  const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
  if (P == nullptr || E == nullptr)
    return false;
  llvm::SmallVector<Outcome, 3> Outcomes;
  outcomes(Call, *P, E, C, Outcomes);
  for (Outcome &O : Outcomes) {
    ProgramStateRef State = invalidateRest(O.State, Call, *P, E, C);
    const NoteTag *Tag = nullptr;
    for (unsigned I = 0; State && I < P->Params.size() && I < Call.getNumArgs(); ++I) {
      const cede::ParamPromise &Param = P->Params[I];
      if (Param.Given && O.Success)
        State = giveArgument(State, Call, I, E, C);
      if (!State || !Param.moves())
        continue;
      ProgramStateRef Before = State;
      State = loseArgument(State, Call, I, Param, *P, E, O, C);
      if (!State || State == Before)
        continue;
      // The new entries are what this call lost: mention them when a report is about them.
      SymbolRef Lost = nullptr, Nulled = nullptr;
      Loss How{E, C.getStackFrame(), nullptr, Fate::Sent, nullptr};
      for (const auto &Entry : State->get<LostMessages>())
        if (Entry.second.Call == E && !Before->contains<LostMessages>(Entry.first)) {
          Lost = Entry.first;
          How = Entry.second;
        }
      for (const auto &Entry : State->get<NulledValues>())
        if (Entry.second.Call == E && !Before->contains<NulledValues>(Entry.first)) {
          Nulled = Entry.first;
          How = Entry.second;
        }
      Tag = noteLoss(Lost, Nulled, E, How, C);
    }
    if (!State)
      continue;
    if (!Call.getResultType()->isVoidType())
      State = State->BindExpr(E, C.getLocationContext(), O.Result);
    C.addTransition(State, Tag);
  }
  return true;
}

ProgramStateRef UseAfterSend::evalAssume(ProgramStateRef State, SVal, bool) const {
  for (const auto &Entry : State->get<NulledValues>())
    if (State->getConstraintManager().isNull(State, Entry.first).isConstrainedFalse())
      return nullptr; // the moving call stored NULL there
  return State;
}

//===-- uses --------------------------------------------------------------===//

void UseAfterSend::reportAt(SymbolRef Message, const Loss &L, const cede::Blame &At, StringRef Text,
                            CheckerContext &C, ExplodedNode *Node) const {
  auto R = std::make_unique<cede::PathReport>(Bug, Text, Node, cede::placeOf(At, C));
  R->markInteresting(Message);
  if (L.Holder != nullptr)
    R->markInteresting(L.Holder);
  cede::emitOnce(C, std::move(R));
}

void UseAfterSend::report(SymbolRef Message, const Loss &L, bool Nulled, const Stmt *Use,
                          StringRef What, StringRef Verb, CheckerContext &C) const {
  // Said once for each message; the path goes on, so that the next mistake on it is found as well.
  ProgramStateRef State = C.getState();
  State = Nulled ? State->remove<NulledValues>(Message) : State->remove<LostMessages>(Message);
  ExplodedNode *Node = C.generateNonFatalErrorNode(State);
  if (Node == nullptr)
    return;
  cede::Blame At = cede::meetingPoint(Use, C.getStackFrame(), L.Frame);
  std::string Holder = describeHolder(L);
  std::string Callee = cede::calleeName(L.Call);
  std::string Text;
  llvm::raw_string_ostream OS(Text);
  const auto *Outer = At.InCallee ? dyn_cast<CallExpr>(At.Statement) : nullptr;
  if (Outer != nullptr) {
    OS << "the message is used by '" << cede::calleeName(Outer) << "' (" << cede::placeText(Use, C)
       << ")";
  } else {
    if (!What.empty())
      OS << "'" << What << "'";
    else if (Nulled && !Holder.empty())
      OS << "'" << Holder << "'";
    else
      OS << "a message";
    OS << " " << Verb;
  }
  OS << " after ";
  if (Outer != nullptr && !Holder.empty())
    OS << "it was " << fateText(L.How) << " as '" << Holder << "'";
  else if (!Nulled && !Holder.empty() && Holder != What)
    OS << "the message was " << fateText(L.How) << " as '" << Holder << "'";
  else
    OS << "it was " << fateText(L.How);
  OS << " by " << Callee << " on line " << cede::lineOf(L.Call, C);
  if (L.How == Fate::MaybeSent)
    OS << " (it may be gone although the call failed)";
  else if (Nulled && !Holder.empty())
    OS << ", which set '" << Holder << "' to NULL";
  reportAt(Message, L, At, OS.str(), C, Node);
}

void UseAfterSend::checkLocation(SVal Loc, bool, const Stmt *S, CheckerContext &C) const {
  const MemRegion *Region = Loc.getAsRegion();
  if (Region == nullptr)
    return;
  const auto *Base = dyn_cast<SymbolicRegion>(Region->getBaseRegion());
  if (Base == nullptr)
    return;
  Found F = findLost(C.getState(), Base->getSymbol());
  if (F.How == nullptr)
    return;
  const Expr *Pointer = pointerOf(S);
  std::string What = Pointer != nullptr ? cede::sourceText(Pointer, C) : "";
  report(F.Symbol, *F.How, F.Nulled, Pointer != nullptr ? Pointer : S, What, "is used", C);
}

/// A callee whose body is followed is judged by what it does there.
static bool bodyIsFollowed(const CallEvent &Call) {
  const auto *F = dyn_cast_or_null<FunctionDecl>(Call.getDecl());
  return F != nullptr && F->hasBody() && !cede::promiseOf(F).movesSomething();
}

void UseAfterSend::checkPreCall(const CallEvent &Call, CheckerContext &C) const {
  const cede::Promise *P = promiseIfOwnership(Call);
  ProgramStateRef State = C.getState();
  for (unsigned I = 0; I < Call.getNumArgs(); ++I) {
    const Expr *Arg = Call.getArgExpr(I);
    const cede::ParamPromise *Param =
        P != nullptr && I < P->Params.size() ? &P->Params[I] : nullptr;
    SVal Value = Call.getArgSVal(I);
    bool MovesVariable = Param != nullptr && Param->moves() && !Param->ByValue;
    if (MovesVariable) {
      const MemRegion *Holder = cede::holderOf(Call, I, C);
      if (Holder == nullptr)
        continue;
      Value = State->getSVal(loc::MemRegionVal(Holder), C.getASTContext().VoidPtrTy);
      SymbolRef Sym = Value.getAsLocSymbol();
      Found F = Sym != nullptr ? findLost(State, Sym) : Found();
      if (F.How == nullptr || (F.Nulled && Param->Dropped && !P->ReturnsKept))
        continue;
      std::string Verb = "is given to " + cede::calleeName(cast<CallExpr>(Call.getOriginExpr()));
      std::string Name = cede::regionName(Holder);
      report(F.Symbol, *F.How, F.Nulled, Call.getOriginExpr(), Name, Verb, C);
      return;
    }
    if (Param != nullptr && Param->Given)
      continue;
    SymbolRef Sym = baseSymbol(Value);
    Found F = Sym != nullptr ? findLost(State, Sym) : Found();
    if (F.How == nullptr || bodyIsFollowed(Call) || onlyPrintsAddress(Call, I))
      continue;
    if (!Arg->getType()->isPointerType())
      continue;
    const auto *E = dyn_cast_or_null<CallExpr>(Call.getOriginExpr());
    std::string Verb = "is passed to " + (E != nullptr ? cede::calleeName(E) : "a function");
    report(F.Symbol, *F.How, F.Nulled, Arg, cede::sourceText(Arg->IgnoreParenCasts(), C), Verb, C);
    return;
  }
}

/// The result of a call with a CEDE_LENDS parameter lives as long as what that leads to.
void UseAfterSend::checkPostCall(const CallEvent &Call, CheckerContext &C) const {
  const cede::Promise *P = cede::promiseOfEvent(Call);
  SymbolRef Part = P != nullptr ? Call.getReturnValue().getAsLocSymbol() : nullptr;
  if (Part == nullptr)
    return;
  for (unsigned I = 0; I < P->Params.size() && I < Call.getNumArgs(); ++I) {
    SymbolRef Whole = P->Params[I].Lends ? baseSymbol(Call.getArgSVal(I)) : nullptr;
    if (Whole != nullptr && Whole != Part) {
      C.addTransition(cede::setLender(C.getState(), Part, Whole));
      return;
    }
  }
}

/// Whether a block of a message is stored in an owning field, of this message or another one.
static bool isPartOfAnother(const MemRegion *Place, SVal Value) {
  const auto *Field = dyn_cast<FieldRegion>(Place);
  SymbolRef Part = Value.getAsLocSymbol();
  return Field != nullptr && Part != nullptr && isOwningField(Field->getDecl()) &&
         owningPlace(Part) != nullptr;
}

void UseAfterSend::checkBind(SVal Where, SVal Value, const Stmt *S, CheckerContext &C) const {
  ProgramStateRef State = C.getState();
  const MemRegion *Place = Where.getAsRegion();
  if (Place == nullptr)
    return;
  if (cede::cleanedVariable(Place) != nullptr)
    cede::forEachPointer(State, cast<TypedValueRegion>(Place), Value,
                         [&](const TypedValueRegion *Part, SVal Pointer) {
                           State = State->set<CleanedValues>(Part, Pointer);
                         });
  if (auto Copy = Value.getAs<nonloc::LazyCompoundVal>()) {
    llvm::SmallVector<const FieldRegion *, 4> Fields;
    StoreManager &Stores = C.getStoreManager();
    if (isa<SymbolicRegion>(Place->getBaseRegion()))
      owningFields(Copy->getRegion(), Stores.getRegionManager(), 0, Fields);
    for (const FieldRegion *Field : Fields)
      if (SymbolRef Part =
              Stores.getBinding(Copy->getStore(), loc::MemRegionVal(Field), Field->getValueType())
                  .getAsSymbol())
        State = State->add<CopiedParts>(Part);
  } else if (isPartOfAnother(Place, Value)) {
    State = State->add<CopiedParts>(baseSymbol(Value)); // a box or a text that moves
  } else if (!placeType(Place).isNull() && outlivesTurn(Place) && Value.getAs<Loc>() &&
             baseSymbol(Value) != nullptr) {
    State = State->set<OuterStores>(Place, Value);
    Found F = findLost(State, baseSymbol(Value)); // a copy that outlived its message
    if (F.How != nullptr && !F.Nulled)
      State = watchPlace(State, Place, {F.Symbol, Value, S, C.getStackFrame()});
  } else if (State->contains<OuterStores>(Place)) {
    State = State->remove<OuterStores>(Place);
  }
  if (State != C.getState())
    C.addTransition(State);
}

void UseAfterSend::checkPreStmt(const ReturnStmt *Return, CheckerContext &C) const {
  const Expr *E = Return->getRetValue();
  if (E == nullptr || !C.inTopFrame() || !E->getType()->isPointerType())
    return;
  SymbolRef Sym = baseSymbol(C.getSVal(E));
  Found F = Sym != nullptr ? findLost(C.getState(), Sym) : Found();
  if (F.How != nullptr && !F.Nulled)
    report(F.Symbol, *F.How, false, Return, cede::sourceText(E->IgnoreParenCasts(), C),
           "is returned", C);
}

void UseAfterSend::checkBeginFunction(CheckerContext &C) const {
  const auto *F = dyn_cast<FunctionDecl>(C.getStackFrame()->getDecl());
  if (F == nullptr || !C.inTopFrame())
    return;
  ProgramStateRef State = C.getState();
  for (const ParmVarDecl *Param : F->parameters()) {
    SVal Value = State->getSVal(State->getLValue(Param, C.getLocationContext()));
    SymbolRef Sym = Value.getAsLocSymbol();
    QualType Pointee = Param->getType()->getPointeeType();
    if (Sym != nullptr && !Pointee.isNull() && !Pointee.isConstQualified() &&
        !Pointee->isIncompleteType())
      State = State->add<OuterMemory>(Sym);
  }
  C.addTransition(State);
}

/// Whether a function is only called from functions of this file, which are judged with it inside:
/// they may put right what it leaves behind.
static bool judgedInCallers(const FunctionDecl *F, const cede::Colours &Facts) {
  return F != nullptr && F->getCanonicalDecl()->getStorageClass() == SC_Static &&
         Facts.isCalled(F) && !Facts.isHandler(F);
}

/// clang's analyzer does not run __attribute__((cleanup)): a variable that still holds the address
/// of a lost message when its scope ends is reported where it got it.
void UseAfterSend::checkCleanups(CheckerContext &C) const {
  ProgramStateRef State = C.getState();
  for (const auto &Entry : State->get<CleanedValues>()) {
    const auto *Place = cast<VarRegion>(Entry.first->getBaseRegion());
    const VarDecl *Var = Place->getDecl();
    SymbolRef Sym = baseSymbol(Entry.second);
    Found F = Sym != nullptr ? findLost(State, Sym) : Found();
    if (Place->getStackFrame() != C.getStackFrame() || F.How == nullptr || F.Nulled ||
        Var->getInit() == nullptr)
      continue;
    cede::Blame At = cede::meetingPoint(F.How->Call, F.How->Frame, C.getStackFrame());
    if (At.Frame != C.getStackFrame() || !cede::inScope(Var, At.Statement, C.getASTContext()))
      continue;
    const FunctionDecl *Cleanup = Var->getAttr<CleanupAttr>()->getFunctionDecl();
    std::string Text =
        "'" + Var->getNameAsString() + "' is given to '" + Cleanup->getNameAsString() +
        "' when its scope ends, after the message was " + fateText(F.How->How) + " by " +
        cede::calleeName(F.How->Call) + " on line " + std::to_string(cede::lineOf(F.How->Call, C));
    ExplodedNode *Node = C.generateNonFatalErrorNode(State);
    if (Node != nullptr)
      reportAt(F.Symbol, *F.How, {Var->getInit(), C.getStackFrame(), false}, Text, C, Node);
    return;
  }
}

void UseAfterSend::checkEndFunction(const ReturnStmt *, CheckerContext &C) const {
  if (!C.getState()->get<CleanedValues>().isEmpty())
    checkCleanups(C);
  const auto *F = dyn_cast<FunctionDecl>(C.getStackFrame()->getDecl());
  if (!C.inTopFrame() || C.getState()->get<StalePlaces>().isEmpty() ||
      judgedInCallers(F, cede::coloursOf(C.getASTContext())))
    return;
  ProgramStateRef State = C.getState();
  for (const auto &Entry : State->get<StalePlaces>()) {
    const MemRegion *Place = Entry.first;
    SymbolRef Message = Entry.second.Message;
    const Loss *L = State->get<LostMessages>(Message);
    if (L == nullptr || valueIn(State, Place) != Entry.second.Value)
      continue;
    const auto *Around = dyn_cast<SymbolicRegion>(Place->getBaseRegion());
    if (Around != nullptr && findLost(State, Around->getSymbol()).How != nullptr)
      continue; // a link from one lost message to another
    ExplodedNode *Node = C.generateNonFatalErrorNode(State);
    if (Node == nullptr)
      return;
    const StalePlace &Stale = Entry.second;
    std::string Name = cede::regionName(Place);
    std::string Text = Name.empty() ? "memory that outlives the turn" : "'" + Name + "'";
    if (Stale.Store != nullptr)
      Text += " is given an address of the message after ";
    else
      Text += Stale.Value.getAsLocSymbol() == Message
                  ? " still holds the address of the message that "
                  : " still points into the message that ";
    Text += cede::calleeName(L->Call) + " " +
            (L->How == Fate::Sent || L->How == Fate::MaybeSent ? "sent" : fateText(L->How)) +
            (Stale.Store != nullptr ? " it" : " here") + "; the next use of it is a use after send";
    cede::Blame At{L->Call, L->Frame, false};
    if (Stale.Store != nullptr)
      At = cede::meetingPoint(Stale.Store, Stale.Frame, L->Frame);
    reportAt(Message, *L, At, Text, C, Node);
    return;
  }
}

//===-- life of the entries -----------------------------------------------===//

namespace {
/// Keeps the entry of a lost message while a variable holds the address of its text or items.
class OwnedParts : public StoreManager::BindingsHandler {
public:
  OwnedParts(ProgramStateRef State, SymbolReaper &Reaper) : State(State), Reaper(Reaper) {}
  bool HandleBinding(StoreManager &, Store, const MemRegion *, SVal Value) override {
    SymbolRef Part = baseSymbol(Value);
    for (unsigned Depth = 0; Part != nullptr && Depth < 4; ++Depth) {
      if (Depth != 0)
        Reaper.markLive(Part);
      Part = owningSymbol(State, Part);
    }
    return true;
  }

private:
  ProgramStateRef State;
  SymbolReaper &Reaper;
};
} // namespace

void UseAfterSend::checkLiveSymbols(ProgramStateRef State, SymbolReaper &Reaper) const {
  if (!State->get<LostMessages>().isEmpty() || cede::anyIsLent(State)) {
    OwnedParts Parts(State, Reaper);
    State->getStateManager().getStoreManager().iterBindings(State->getStore(), Parts);
  }
  for (SymbolRef Sym : State->get<OuterMemory>())
    Reaper.markLive(Sym);
  for (const auto &Entry : State->get<CleanedValues>())
    if (SymbolRef Sym = baseSymbol(Entry.second))
      Reaper.markLive(Sym);
  for (const auto &Entry : State->get<StalePlaces>()) {
    Reaper.markLive(Entry.second.Message);
    if (const auto *Base = dyn_cast<SymbolicRegion>(Entry.first->getBaseRegion()))
      Reaper.markLive(Base->getSymbol());
    Reaper.markLive(Entry.first);
  }
  for (const auto &Entry : State->get<OuterStores>()) {
    if (const auto *Base = dyn_cast<SymbolicRegion>(Entry.first->getBaseRegion()))
      Reaper.markLive(Base->getSymbol());
    Reaper.markLive(Entry.first);
  }
}

ProgramStateRef UseAfterSend::checkRegionChanges(ProgramStateRef State, const InvalidatedSymbols *,
                                                 llvm::ArrayRef<const MemRegion *> Explicit,
                                                 llvm::ArrayRef<const MemRegion *> Changed,
                                                 const LocationContext *,
                                                 const CallEvent *Call) const {
  for (const auto &Entry : State->get<CleanedValues>())
    for (const MemRegion *Region : Changed)
      if (Call != nullptr && Region->getBaseRegion() == Entry.first->getBaseRegion())
        State = State->remove<CleanedValues>(Entry.first);
  if (!cede::isLoopWidening(Explicit, Call))
    return State;
  for (const auto &Entry : State->get<LostMessages>())
    State = State->remove<LostMessages>(Entry.first);
  for (const auto &Entry : State->get<NulledValues>())
    State = State->remove<NulledValues>(Entry.first);
  for (const auto &Entry : State->get<StalePlaces>())
    State = State->remove<StalePlaces>(Entry.first);
  for (const auto &Entry : State->get<OuterStores>())
    State = State->remove<OuterStores>(Entry.first);
  return State;
}

void UseAfterSend::checkDeadSymbols(SymbolReaper &Reaper, CheckerContext &C) const {
  ProgramStateRef State = C.getState();
  for (const auto &Entry : State->get<LostMessages>())
    if (Reaper.isDead(Entry.first))
      State = State->remove<LostMessages>(Entry.first);
  for (const auto &Entry : State->get<NulledValues>())
    if (Reaper.isDead(Entry.first))
      State = State->remove<NulledValues>(Entry.first);
  State = cede::forgetDeadParts(State, Reaper);
  for (SymbolRef Part : State->get<CopiedParts>())
    if (Reaper.isDead(Part))
      State = State->remove<CopiedParts>(Part);
  C.addTransition(State);
}

void cede::registerUseAfterSend(CheckerRegistry &Registry) {
  Registry.addChecker<UseAfterSend>("cede.use-after-send",
                                    "A message is used after it was moved away", "");
}

bool cede::isLostMessage(ProgramStateRef State, SymbolRef Message) {
  return State->contains<LostMessages>(Message);
}
