//===- message_leak.cpp - a turn forgets a message ---------------------------===//
//
// Rule: what a turn makes (cede_new) or is given in the middle (cede_recv, the reply of cede_ask)
// it sends, keeps or drops, on every path; and what it leaves in its actor's state went through
// cede_keep. Harm: the runtime drops what a turn forgets when the turn ends: memory is held longer
// than needed, and a pointer that was left in the state is dangling in the next turn. Example:
//     static cede_result on_order(cede_self *self, struct shop *state, struct order *message) {
//         state->pending = message;               // state->pending = cede_keep(self, &message);
//         return CEDE_OK;
//     }
// Cannot see: messages that functions of other files take without saying so (they are believed to),
// and containers behind such functions. A message whose send failed is not a forgotten one.
//
//===----------------------------------------------------------------------===//
#include "owned_parts.h"
#include "path_report.h"

#include "clang/StaticAnalyzer/Frontend/CheckerRegistry.h"

using namespace clang;
using namespace ento;

namespace {
/// Where the turn got a message.
struct Origin {
  const Stmt *From; ///< the call; null for the message that the handler was called with
  const StackFrameContext *Frame;
  bool operator==(const Origin &O) const { return From == O.From && Frame == O.Frame; }
  void Profile(llvm::FoldingSetNodeID &ID) const {
    ID.AddPointer(From);
    ID.AddPointer(Frame);
  }
};

/// A store of an address in a message in memory that may outlive the turn.
struct Stored {
  SymbolRef Message;
  SVal Value; ///< the message, or a part of it
  const Stmt *At;
  const StackFrameContext *Frame;
  bool operator==(const Stored &O) const {
    return Message == O.Message && Value == O.Value && At == O.At && Frame == O.Frame;
  }
  void Profile(llvm::FoldingSetNodeID &ID) const {
    ID.AddPointer(Message);
    Value.Profile(ID);
    ID.AddPointer(At);
    ID.AddPointer(Frame);
  }
};
} // namespace

/// Messages that the turn must not forget.
REGISTER_MAP_WITH_PROGRAMSTATE(OpenMessages, SymbolRef, Origin)
/// All messages that the turn owns, also those that are referred to from elsewhere.
REGISTER_MAP_WITH_PROGRAMSTATE(TurnMessages, SymbolRef, Origin)
REGISTER_MAP_WITH_PROGRAMSTATE(StoredMessages, const MemRegion *, Stored)
/// The state of the actor and what else the handler's parameters lead to.
REGISTER_SET_WITH_PROGRAMSTATE(HandlerMemory, SymbolRef)

namespace {

class MessageLeak
    : public Checker<check::BeginFunction, check::PostCall, check::Bind, check::PointerEscape,
                     check::PreStmt<ReturnStmt>, check::EndFunction, check::LiveSymbols,
                     check::DeadSymbols, check::RegionChanges> {
public:
  void checkBeginFunction(CheckerContext &C) const;
  void checkPostCall(const CallEvent &Call, CheckerContext &C) const;
  void checkBind(SVal Where, SVal Value, const Stmt *S, CheckerContext &C) const;
  ProgramStateRef checkPointerEscape(ProgramStateRef State, const InvalidatedSymbols &Escaped,
                                     const CallEvent *Call, PointerEscapeKind Kind) const;
  void checkPreStmt(const ReturnStmt *Return, CheckerContext &C) const;
  void checkEndFunction(const ReturnStmt *Return, CheckerContext &C) const;
  void checkLiveSymbols(ProgramStateRef State, SymbolReaper &Reaper) const;
  void checkDeadSymbols(SymbolReaper &Reaper, CheckerContext &C) const;
  ProgramStateRef checkRegionChanges(ProgramStateRef State, const InvalidatedSymbols *,
                                     llvm::ArrayRef<const MemRegion *> Explicit,
                                     llvm::ArrayRef<const MemRegion *>, const LocationContext *,
                                     const CallEvent *Call) const;

private:
  static ProgramStateRef forget(ProgramStateRef State, SymbolRef Message) {
    State = State->remove<OpenMessages>(Message);
    return State->remove<TurnMessages>(Message);
  }
  void reportForgotten(const Origin &From, CheckerContext &C, ExplodedNode *Node) const;

  BugType Bug{this, "message-leak", "cede", /*SuppressOnSink=*/true};
};

/// Whether memory is there after the turn: globals, and what a handler's parameters lead to, over
/// any number of pointers.
bool outlivesTurn(ProgramStateRef State, const MemRegion *Region) {
  for (unsigned Depth = 0; Region != nullptr && Depth < 8; ++Depth) {
    const MemRegion *Base = Region->getBaseRegion();
    if (const auto *Var = dyn_cast<VarRegion>(Base))
      return Var->getDecl()->hasGlobalStorage();
    const auto *Target = dyn_cast<SymbolicRegion>(Base);
    if (Target == nullptr || State->contains<TurnMessages>(Target->getSymbol()))
      return false;
    if (State->contains<HandlerMemory>(Target->getSymbol()))
      return true;
    Region = Target->getSymbol()->getOriginRegion();
  }
  return false;
}

/// Blocks that this turn made (malloc) and that are linked into memory that outlives it.
class LinkedBlocks : public StoreManager::BindingsHandler {
public:
  explicit LinkedBlocks(ProgramStateRef State) : State(State) {
    StoreManager &Stores = State->getStateManager().getStoreManager();
    for (size_t Before = Linked.size() + 1; Before != Linked.size();) {
      Before = Linked.size();
      Stores.iterBindings(State->getStore(), *this);
    }
  }
  bool HandleBinding(StoreManager &, Store, const MemRegion *Place, SVal Value) override {
    SymbolRef Sym = Value.getAsLocSymbol();
    if (Sym != nullptr && isa<SymbolConjured>(Sym) && !State->contains<TurnMessages>(Sym) &&
        contains(Place))
      Linked.insert(Sym);
    return true;
  }
  bool contains(const MemRegion *Place) const {
    const auto *Block = dyn_cast<SymbolicRegion>(Place->getBaseRegion());
    return (Block != nullptr && Linked.count(Block->getSymbol()) != 0) ||
           outlivesTurn(State, Place);
  }

private:
  ProgramStateRef State;
  llvm::SmallPtrSet<SymbolRef, 4> Linked;
};

/// The message of this turn that an address is, or is a part of; null for another one. What the
/// message does not own any more (it was moved out and zeroed) is no part of it.
SymbolRef turnMessage(ProgramStateRef State, SVal Address) {
  SymbolRef Sym = cede::baseSymbol(Address);
  for (unsigned Depth = 0; Sym != nullptr && Depth < 4; ++Depth) {
    if (State->contains<TurnMessages>(Sym))
      return Sym;
    const TypedValueRegion *Place = cede::owningPlace(Sym);
    if (Place != nullptr && cede::valueIn(State, Place).getAsLocSymbol() != Sym)
      return nullptr;
    Sym = cede::owningSymbol(State, Sym);
  }
  return nullptr;
}

} // namespace

void MessageLeak::checkBeginFunction(CheckerContext &C) const {
  const auto *F = dyn_cast<FunctionDecl>(C.getStackFrame()->getDecl());
  if (F == nullptr || !C.inTopFrame() || F->getNumParams() != 3 ||
      !cede::coloursOf(C.getASTContext()).isHandler(F))
    return;
  ProgramStateRef State = C.getState();
  auto SymbolOf = [&](unsigned Index) {
    Loc Place = State->getLValue(F->getParamDecl(Index), C.getLocationContext());
    return State->getSVal(Place).getAsLocSymbol();
  };
  if (SymbolRef Memory = SymbolOf(1))
    State = State->add<HandlerMemory>(Memory);
  if (SymbolRef Message = SymbolOf(2))
    State = State->set<TurnMessages>(Message, Origin{nullptr, C.getStackFrame()});
  C.addTransition(State);
}

void MessageLeak::checkPostCall(const CallEvent &Call, CheckerContext &C) const {
  const cede::Promise *P = cede::promiseOfEvent(Call);
  if (P == nullptr || !P->movesSomething() || !isa_and_nonnull<CallExpr>(Call.getOriginExpr()))
    return;
  ProgramStateRef State = C.getState();
  for (const auto &Entry : State->get<TurnMessages>())
    if (cede::isLostMessage(State, Entry.first))
      State = forget(State, Entry.first);
  Origin From{Call.getOriginExpr(), C.getStackFrame()};
  auto Add = [&](SVal Message) {
    SymbolRef Sym = Message.getAsLocSymbol();
    if (Sym == nullptr || !isa<SymbolConjured>(Sym))
      return;
    State = State->set<OpenMessages>(Sym, From);
    State = State->set<TurnMessages>(Sym, From);
  };
  if (P->ReturnsOwned)
    Add(Call.getReturnValue());
  for (unsigned I = 0; I < P->Params.size() && I < Call.getNumArgs(); ++I) {
    const cede::ParamPromise &Param = P->Params[I];
    const MemRegion *Holder = Param.ByValue ? nullptr : cede::holderOf(Call, I, C);
    if (Holder == nullptr || (!Param.moves() && !Param.Given))
      continue;
    SVal Message = State->getSVal(loc::MemRegionVal(Holder), C.getASTContext().VoidPtrTy);
    if (Param.Given && State->isNull(Call.getReturnValue()).isConstrainedTrue())
      Add(Message);
    else if (SymbolRef Sym = Param.moves() ? Message.getAsLocSymbol() : nullptr)
      State = State->remove<OpenMessages>(Sym); // it was tried: not forgotten
  }
  if (State != C.getState())
    C.addTransition(State);
}

void MessageLeak::checkBind(SVal Where, SVal Value, const Stmt *S, CheckerContext &C) const {
  ProgramStateRef State = C.getState();
  const auto *Place = dyn_cast_or_null<TypedValueRegion>(Where.getAsRegion());
  if (Place == nullptr || S == nullptr || isa<CallExpr>(S) || State->get<TurnMessages>().isEmpty())
    return;
  bool Cleaned = cede::cleanedVariable(Place) != nullptr; // its cleanup ends what it holds
  bool Stays = !isa<StackSpaceRegion>(Place->getMemorySpace());
  if (!Cleaned && !Stays)
    return;
  cede::forEachPointer(State, Place, Value, [&](const TypedValueRegion *Part, SVal Pointer) {
    SymbolRef Message = turnMessage(State, Pointer);
    if (Message == nullptr)
      return;
    if (Cleaned)
      State = forget(State, Message);
    else
      State = State->set<StoredMessages>(Part, Stored{Message, Pointer, S, C.getStackFrame()});
  });
  if (State != C.getState())
    C.addTransition(State);
}

ProgramStateRef MessageLeak::checkPointerEscape(ProgramStateRef State,
                                                const InvalidatedSymbols &Escaped,
                                                const CallEvent *Call, PointerEscapeKind) const {
  const cede::Promise *P = Call != nullptr ? cede::promiseOfEvent(*Call) : nullptr;
  if (P != nullptr) {
    // The C library does not take messages, nor does who promises to borrow them.
    bool Takes = false;
    for (unsigned I = 0; I < Call->getNumArgs() && !Call->isInSystemHeader(); ++I) {
      const cede::ParamPromise *Param = I < P->Params.size() ? &P->Params[I] : nullptr;
      QualType Type = Call->getArgExpr(I)->getType();
      // `T **` that is only borrowed: the message comes back, perhaps at another address.
      bool ComesBack = Param != nullptr && Param->Borrowed && Type->isPointerType() &&
                       Type->getPointeeType()->isPointerType();
      bool Known = Param != nullptr && (Param->Borrowed || Param->moves() || Param->Given);
      Takes |= ComesBack || (!Known && Type->isPointerType() && !cede::isStrict());
    }
    if (!Takes)
      return State;
  }
  for (SymbolRef Sym : Escaped) {
    State = State->remove<OpenMessages>(Sym);
    if (Call != nullptr)
      State = State->remove<TurnMessages>(Sym);
  }
  return State;
}

void MessageLeak::checkPreStmt(const ReturnStmt *Return, CheckerContext &C) const {
  if (!C.inTopFrame() || Return->getRetValue() == nullptr)
    return;
  if (SymbolRef Sym = C.getSVal(Return->getRetValue()).getAsLocSymbol())
    C.addTransition(forget(C.getState(), Sym));
}

//===-- findings ----------------------------------------------------------===//

void MessageLeak::checkEndFunction(const ReturnStmt *, CheckerContext &C) const {
  if (!C.inTopFrame())
    return;
  ProgramStateRef State = C.getState();
  if (State->get<StoredMessages>().isEmpty())
    return;
  LinkedBlocks Linked(State);
  for (const auto &Entry : State->get<StoredMessages>()) {
    const Stored &Store = Entry.second;
    if (!Linked.contains(Entry.first) || turnMessage(State, Store.Value) != Store.Message ||
        cede::valueIn(State, Entry.first) != Store.Value ||
        State->getConstraintManager().isNull(State, Store.Message).isConstrainedTrue())
      continue;
    ExplodedNode *Node = C.generateNonFatalErrorNode(State);
    if (Node == nullptr)
      return;
    std::string Name = cede::regionName(Entry.first);
    std::string Text =
        (Name.empty() ? "the actor's state" : "'" + Name + "'") +
        (Store.Value.getAsLocSymbol() == Store.Message ? " holds " : " points into ") +
        "a message that the turn owns: it is dropped when the turn ends, since it "
        "was stored here without cede_keep";
    cede::Blame At{Store.At, Store.Frame, false};
    auto R = std::make_unique<cede::PathReport>(Bug, Text, Node, cede::placeOf(At, C));
    R->markInteresting(Store.Message);
    cede::emitOnce(C, std::move(R));
    return;
  }
}

void MessageLeak::reportForgotten(const Origin &From, CheckerContext &C, ExplodedNode *Node) const {
  const auto *Call = cast<CallExpr>(From.From);
  std::string Text = "a message that " + cede::calleeName(Call) +
                     " gives here is neither sent nor kept nor dropped on a path";
  cede::Blame At{Call, From.Frame, false};
  auto R = std::make_unique<cede::PathReport>(Bug, Text, Node, cede::placeOf(At, C));
  cede::emitOnce(C, std::move(R));
}

void MessageLeak::checkLiveSymbols(ProgramStateRef State, SymbolReaper &Reaper) const {
  for (SymbolRef Sym : State->get<HandlerMemory>())
    Reaper.markLive(Sym);
  for (const auto &Entry : State->get<StoredMessages>())
    Reaper.markLive(Entry.first);
}

void MessageLeak::checkDeadSymbols(SymbolReaper &Reaper, CheckerContext &C) const {
  ProgramStateRef State = C.getState();
  llvm::SmallVector<Origin, 2> Forgotten;
  for (const auto &Entry : State->get<TurnMessages>()) {
    if (!Reaper.isDead(Entry.first))
      continue;
    bool IsNull = State->getConstraintManager().isNull(State, Entry.first).isConstrainedTrue();
    const Origin *Open = State->get<OpenMessages>(Entry.first);
    if (Open != nullptr && !IsNull && Open->From != nullptr)
      Forgotten.push_back(*Open);
    State = forget(State, Entry.first);
  }
  ExplodedNode *Node = C.getPredecessor();
  if (!Forgotten.empty())
    Node = C.generateNonFatalErrorNode(C.getState());
  if (Node == nullptr)
    return;
  for (const Origin &From : Forgotten)
    reportForgotten(From, C, Node);
  C.addTransition(State, Node);
}

ProgramStateRef MessageLeak::checkRegionChanges(ProgramStateRef State, const InvalidatedSymbols *,
                                                llvm::ArrayRef<const MemRegion *> Explicit,
                                                llvm::ArrayRef<const MemRegion *>,
                                                const LocationContext *,
                                                const CallEvent *Call) const {
  if (!cede::isLoopWidening(Explicit, Call))
    return State;
  for (const auto &Entry : State->get<TurnMessages>())
    State = forget(State, Entry.first);
  for (const auto &Entry : State->get<StoredMessages>())
    State = State->remove<StoredMessages>(Entry.first);
  return State;
}

void cede::registerMessageLeak(CheckerRegistry &Registry) {
  Registry.addChecker<MessageLeak>("cede.message-leak", "A turn forgets a message", "");
}
