//===- tls_over_yield.cpp - a thread-local on both sides of a yield --------===//
//
// Rule: on no path is the same thread-local variable (or errno, or pthread_self) used before and
// after a yield, and no local variable keeps the address of one over a yield. Harm: the turn may go
// on on another thread, but compilers compute the address of a thread-local once in a function,
// since C knows no switching of threads: after the yield the code uses the old thread's variable.
// Example:
//     errno = 0;
//     cede_yield(self);
//     fd = open(path, O_RDONLY);
//     if (fd < 0) r = translate(errno);          // the errno of the thread before the yield
// Cannot see: functions of other files that link-time optimisation inlines, two different
// thread-locals whose common base address the compiler keeps, and addresses kept in globals or
// behind several pointers.
//
// How: a forward flow over the control-flow graph. Per variable a set of states: not used yet,
// used, used and then yielded. A function of the same file counts as inlined (it may be), unless it
// is noinline: its summary says what it does to each state.
//
//===----------------------------------------------------------------------===//
#include "rules.h"

#include "clang/AST/Attr.h"
#include "clang/Analysis/CFG.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <map>
#include <memory>
#include <set>

using namespace clang;

namespace cede {

namespace {

/// A thread-local variable, a function that stands for one (__errno_location), or a local that
/// holds the address of one.
using Key = const ValueDecl *;

enum : unsigned { None = 1, Used = 2, Stale = 4, AllStates = 7 }; // a set of states, as bits

/// What is known about one key at a point.
struct Fact {
  unsigned States = None;
  const Stmt *FirstUse = nullptr;
  const Stmt *Yield = nullptr;
  Key Source = nullptr; ///< of a local: what it holds the address of
};

using Facts = std::map<Key, Fact>;

/// What a call of a function does to a key, for each state before.
struct Effect {
  unsigned After[3] = {None, Used, Stale};
  bool UsesFirst = false; ///< uses it, so that a yield before the call is between two uses
  bool UsesAfterYield =
      false; ///< yields before its first use, so that a use before the call is over a yield
  const Stmt *Use = nullptr;
};

struct Summary {
  std::map<Key, Effect> Keys;
  std::map<Key, const Stmt *> LateParams; ///< pointers that are used after a yield, and where
  bool MayYield = false;
  bool Ready = false;
};

class TlsFlow {
public:
  explicit TlsFlow(LintContext &Lint) : Lint(Lint) {}
  void run();

private:
  const Summary &summarise(const FunctionDecl *F);
  std::set<Key> keysOf(const FunctionDecl *F);
  /// Runs the flow through \p F with every key in state \p Initial; returns the states at its exit.
  Facts flow(const FunctionDecl *F, unsigned Initial, bool Report, Summary *Into);
  void step(const Stmt *S, Facts &At);
  void use(Key K, const Stmt *S, Facts &At);
  void yield(const Stmt *S, Facts &At);
  void call(const CallExpr *Call, Facts &At);
  void assign(const VarDecl *Place, const Expr *Value, const Stmt *S, Facts &At);
  void assignParts(const VarDecl *Var, const InitListExpr *List, const Stmt *S, Facts &At);
  void assignTo(const Expr *Place, const Expr *Value, const Stmt *S, Facts &At);
  void load(const Expr *Place, const Stmt *S, Facts &At);
  void passAddresses(const CallExpr *Call, const FunctionDecl *Callee, Facts &At);
  void forgetParts(const VarDecl *Var, Facts &At);
  const VarDecl *partOf(const VarDecl *Root, const std::string &Path, bool Make);
  const VarDecl *placeOf(const Expr *E, bool Make);
  Key returnedKey(const FunctionDecl *F);
  bool callsForAddress(const FunctionFacts &Found);
  void report(Key K, const Fact &F, const Stmt *S, const Effect *InCallee,
              const FunctionDecl *Callee);
  Key threadLocalKey(const Expr *E, const Facts &At);
  bool isTransparent(const FunctionDecl *F);
  const FunctionDecl *bodyOf(const FunctionDecl *F);

  LintContext &Lint;
  std::map<const FunctionDecl *, Summary> Summaries;
  std::map<const FunctionDecl *, std::set<Key>> KeyCache;
  std::map<const FunctionDecl *, std::unique_ptr<CFG>> Graphs;
  std::set<std::pair<const Stmt *, Key>> Reported;
  std::map<const FunctionDecl *, Key> ReturnedKeys;
  /// Stand-ins for `local.field`, `parameter->field` and `local[0]`, which hold addresses as
  /// variables do.
  std::map<const VarDecl *, std::map<std::string, const VarDecl *>> Parts;
  const FunctionDecl *Current = nullptr;
  bool Reporting = false;
  Summary *Into = nullptr;
  unsigned InitialState = None;
};

/// Unites what two paths know. True when \p To changed.
bool join(Facts &To, const Facts &From) {
  bool Changed = false;
  for (const auto &Entry : From) {
    auto It = To.find(Entry.first);
    if (It == To.end()) {
      // Absent means: not used on that path.
      Fact F = Entry.second;
      F.States |= None;
      To.emplace(Entry.first, F);
      Changed = true;
      continue;
    }
    Fact &F = It->second;
    unsigned United = F.States | Entry.second.States;
    if (F.FirstUse == nullptr)
      F.FirstUse = Entry.second.FirstUse;
    if (F.Yield == nullptr)
      F.Yield = Entry.second.Yield;
    if (F.Source == nullptr)
      F.Source = Entry.second.Source;
    Changed |= United != F.States;
    F.States = United;
  }
  return Changed;
}

bool isThreadLocal(const ValueDecl *D) {
  const auto *Var = dyn_cast<VarDecl>(D);
  return Var != nullptr && Var->getTLSKind() != VarDecl::TLS_None;
}

/// The function whose result is the thread's own, canonical so that it can be a key.
Key identityCallee(const CallExpr *Call) {
  const FunctionDecl *F = Call->getDirectCallee();
  return F != nullptr && promiseOf(F).ThreadIdentity ? F->getCanonicalDecl() : nullptr;
}

/// The function whose result must not be kept over a yield.
Key valueCallee(const CallExpr *Call) {
  const FunctionDecl *F = Call->getDirectCallee();
  return F != nullptr && promiseOf(F).ThreadValue ? F->getCanonicalDecl() : nullptr;
}

std::string keyName(Key K) {
  std::string Name = displayName(K);
  bool IsErrno =
      Name == "__errno_location" || Name == "__errno" || Name == "__error" || Name == "___errno";
  return IsErrno ? "errno" : Name;
}

} // namespace

//===-- keys and bodies ---------------------------------------------------===//

/// Whether the compiler may treat a call as if its body stood there.
bool TlsFlow::isTransparent(const FunctionDecl *F) {
  if (F->hasAttr<NoInlineAttr>() || F->hasAttr<OptimizeNoneAttr>())
    return false;
  for (const FunctionDecl *R : F->redecls())
    if (R->hasAttr<NoInlineAttr>() || R->hasAttr<WeakAttr>() || R->hasAttr<OptimizeNoneAttr>())
      return false;
  return true;
}

const FunctionDecl *TlsFlow::bodyOf(const FunctionDecl *F) {
  const FunctionFacts *Found = F != nullptr ? Lint.Facts.find(F) : nullptr;
  return Found != nullptr ? Found->Definition : nullptr;
}

/// All thread-locals that \p F uses, and those of the functions that may be inlined into it.
std::set<Key> TlsFlow::keysOf(const FunctionDecl *F) {
  auto Known = KeyCache.find(F);
  if (Known != KeyCache.end())
    return Known->second;
  KeyCache[F] = {};
  std::set<Key> Keys;
  std::vector<const Stmt *> Stack{F->getBody()};
  while (!Stack.empty()) {
    const Stmt *S = Stack.back();
    Stack.pop_back();
    if (S == nullptr || isa<UnaryExprOrTypeTraitExpr>(S))
      continue;
    if (const auto *Ref = dyn_cast<DeclRefExpr>(S))
      if (isThreadLocal(Ref->getDecl()))
        Keys.insert(cast<ValueDecl>(Ref->getDecl()->getCanonicalDecl()));
    if (const auto *Call = dyn_cast<CallExpr>(S)) {
      if (Key K = identityCallee(Call))
        Keys.insert(K);
      const FunctionDecl *Callee = bodyOf(Call->getDirectCallee());
      if (Callee != nullptr && isTransparent(Callee))
        for (Key K : keysOf(Callee))
          Keys.insert(K);
    }
    for (const Stmt *Child : S->children())
      Stack.push_back(Child);
  }
  return KeyCache[F] = Keys;
}

//===-- one function ------------------------------------------------------===//

void TlsFlow::report(Key K, const Fact &F, const Stmt *S, const Effect *InCallee,
                     const FunctionDecl *Callee) {
  if (!Reporting || !Lint.isOurs(S->getBeginLoc()) || !Reported.insert({S, K}).second)
    return;
  Finding Out;
  Out.Rule = "tls-over-yield";
  Out.Loc = S->getBeginLoc();
  Out.In = Current;
  bool IsFunction = isa<FunctionDecl>(K) && keyName(K) != "errno";
  std::string Name = "'" + keyName(K) + "'";
  if (F.Source != nullptr && Callee != nullptr) {
    Out.Fact = "'" + displayName(Callee) + "' is given the address of thread-local '" +
               keyName(F.Source) + "' and uses it after a yield: it belongs to another thread then";
  } else if (F.Source != nullptr) {
    bool IsIdentity = isa<FunctionDecl>(F.Source) && keyName(F.Source) != "errno";
    Out.Fact = IsIdentity
                   ? Name + " holds what " + keyName(F.Source) +
                         "() returned before the yield: the turn may be on another thread now"
                   : Name + " holds the address of thread-local '" + keyName(F.Source) +
                         "' from before the yield: it belongs to another thread now";
  } else {
    std::string How =
        InCallee != nullptr ? " is used (in '" + displayName(Callee) + "')" : " is used";
    Out.Fact = (IsFunction ? Name : "thread-local " + Name) + How +
               " before and after a yield: the compiler may keep the first thread's " +
               (IsFunction ? "value" : "address");
  }
  Out.Repair =
      keyName(F.Source != nullptr ? F.Source : K) == "errno"
          ? "use cede_errno, or copy the value before the yield and use errno on one side only"
          : findRule("tls-over-yield")->Repair;
  if (F.FirstUse != nullptr)
    Out.Notes.push_back({F.FirstUse->getBeginLoc(), F.Source != nullptr
                                                        ? "the address is taken here"
                                                        : "used here before the yield"});
  if (F.Yield != nullptr)
    Out.Notes.push_back({F.Yield->getBeginLoc(), "this may yield"});
  if (InCallee != nullptr && InCallee->Use != nullptr)
    Out.Notes.push_back(
        {InCallee->Use->getBeginLoc(), "used here in '" + displayName(Callee) + "'"});
  Lint.Report(Out);
}

void TlsFlow::use(Key K, const Stmt *S, Facts &At) {
  Fact &F = At[K];
  if (Into != nullptr) {
    Effect &E = Into->Keys[K];
    if (InitialState == None && (F.States & None))
      E.UsesFirst = true;
    if (InitialState == Used && (F.States & Stale) && F.FirstUse == nullptr)
      E.UsesAfterYield = true;
    if (E.Use == nullptr)
      E.Use = S;
  }
  if (F.States & Stale)
    report(K, F, S, nullptr, nullptr);
  F.States = Used;
  F.FirstUse = S;
  F.Yield = nullptr;
}

void TlsFlow::yield(const Stmt *S, Facts &At) {
  for (auto &Entry : At) {
    Fact &F = Entry.second;
    if (F.States & Used) {
      F.States = (F.States & ~unsigned(Used)) | Stale;
      if (F.Yield == nullptr)
        F.Yield = S;
    }
  }
}

void TlsFlow::call(const CallExpr *Call, Facts &At) {
  if (Key K = identityCallee(Call)) {
    use(K, Call, At);
    return;
  }
  const FunctionDecl *Callee = bodyOf(Call->getDirectCallee());
  passAddresses(Call, Callee, At);
  if (Callee == nullptr) {
    if (Lint.Facts.callYields(Call))
      yield(Call, At);
    return;
  }
  const Summary &S = summarise(Callee);
  bool Transparent = isTransparent(Callee);
  // What the callee does not mention is only touched by its yields.
  Facts Before = At;
  if (Lint.Facts.yields(Callee) && (S.MayYield || !S.Ready)) {
    yield(Call, At);
    join(At, Before); // a path through it may not yield
  }
  if (!Transparent)
    return;
  for (const auto &Entry : S.Keys) {
    Key K = Entry.first;
    const Effect &E = Entry.second;
    auto Was = Before.find(K);
    Fact F = Was == Before.end() ? Fact() : Was->second;
    if ((F.States & Stale) && E.UsesFirst) {
      report(K, F, Call, &E, Callee);
    } else if ((F.States & Used) && E.UsesAfterYield) {
      Fact Shown = F;
      Shown.Yield = Call;
      report(K, Shown, Call, &E, Callee);
    }
    Fact Out = F;
    Out.States = (F.States & None ? E.After[0] : 0) | (F.States & Used ? E.After[1] : 0) |
                 (F.States & Stale ? E.After[2] : 0);
    if (Out.States == 0)
      Out.States = None;
    if ((Out.States & (Used | Stale)) && Out.FirstUse == nullptr)
      Out.FirstUse = Call;
    if ((Out.States & Stale) && Out.Yield == nullptr)
      Out.Yield = Call;
    At[K] = Out;
    if (Into != nullptr) {
      Effect &Mine = Into->Keys[K];
      if (InitialState == None && (F.States & None) && E.UsesFirst)
        Mine.UsesFirst = true;
      if (InitialState == Used &&
          (((F.States & Stale) && E.UsesFirst) || ((F.States & Used) && E.UsesAfterYield)))
        Mine.UsesAfterYield = true;
      if (Mine.Use == nullptr)
        Mine.Use = E.Use;
    }
  }
}

/// Addresses that are arguments: the callee may use them after a yield, or store others in what it
/// is given the address of.
void TlsFlow::passAddresses(const CallExpr *Call, const FunctionDecl *Callee, Facts &At) {
  for (unsigned I = 0; I < Call->getNumArgs(); ++I) {
    const Expr *Arg = Call->getArg(I)->IgnoreParenCasts();
    if (Callee != nullptr && I < Callee->getNumParams()) {
      const Summary &S = summarise(Callee);
      auto Late = S.LateParams.find(Callee->getParamDecl(I));
      Key K = Late != S.LateParams.end() ? threadLocalKey(Arg, At) : nullptr;
      if (K != nullptr && isa<ParmVarDecl>(K)) {
        if (Into != nullptr)
          Into->LateParams.emplace(K, Call);
      } else if (K != nullptr) {
        Fact F;
        F.Source = K;
        Effect Use;
        Use.Use = Late->second;
        report(K, F, Call, &Use, Callee);
      }
    }
    if (const auto *Unary = dyn_cast<UnaryOperator>(Arg))
      if (Unary->getOpcode() == UO_AddrOf)
        Arg = Unary->getSubExpr()->IgnoreParenCasts();
    if (const auto *Ref = dyn_cast<DeclRefExpr>(Arg))
      if (const auto *Var = dyn_cast<VarDecl>(Ref->getDecl()))
        forgetParts(Var, At);
  }
}

/// The thread-local whose address a function of this file returns on some path, or null. That it is
/// not inlined does not help: the address is kept by who called it.
Key TlsFlow::returnedKey(const FunctionDecl *F) {
  auto Known = ReturnedKeys.find(F);
  if (Known != ReturnedKeys.end())
    return Known->second;
  ReturnedKeys[F] = nullptr;
  if (!F->getReturnType()->isPointerType())
    return nullptr;
  std::vector<const Stmt *> Stack{F->getBody()};
  while (!Stack.empty()) {
    const Stmt *S = Stack.back();
    Stack.pop_back();
    if (S == nullptr)
      continue;
    for (const Stmt *Child : S->children())
      Stack.push_back(Child);
    const auto *Return = dyn_cast<ReturnStmt>(S);
    const Expr *Value = Return != nullptr ? Return->getRetValue() : nullptr;
    if (Value == nullptr)
      continue;
    if (const auto *Ref = dyn_cast<DeclRefExpr>(Value->IgnoreParenCasts())) {
      const auto *Var = dyn_cast<VarDecl>(Ref->getDecl());
      if (Var != nullptr && Var->hasLocalStorage() && Var->getInit() != nullptr)
        Value = Var->getInit();
    }
    if (Key K = threadLocalKey(Value, Facts()))
      return ReturnedKeys[F] = K;
  }
  return nullptr;
}

/// The thread-local whose address (or identity) is the value of an expression.
Key TlsFlow::threadLocalKey(const Expr *E, const Facts &At) {
  E = E->IgnoreParenCasts();
  if (const auto *Call = dyn_cast<CallExpr>(E)) {
    Key K = identityCallee(Call);
    if (K == nullptr)
      K = valueCallee(Call);
    const FunctionDecl *Callee = K == nullptr ? bodyOf(Call->getDirectCallee()) : nullptr;
    return Callee != nullptr ? returnedKey(Callee) : K;
  }
  if (const auto *Choice = dyn_cast<ConditionalOperator>(E)) {
    Key K = threadLocalKey(Choice->getTrueExpr(), At);
    return K != nullptr ? K : threadLocalKey(Choice->getFalseExpr(), At);
  }
  if (const auto *Sum = dyn_cast<BinaryOperator>(E))
    if (Sum->isAdditiveOp() && Sum->getType()->isPointerType())
      return threadLocalKey(Sum->getLHS(), At);
  bool IsAddress = E->getType()->isArrayType();
  if (const auto *Unary = dyn_cast<UnaryOperator>(E)) {
    if (Unary->getOpcode() != UO_AddrOf)
      return nullptr;
    IsAddress = true;
    E = Unary->getSubExpr()->IgnoreParenCasts();
    // &errno is &*__errno_location()
    if (const auto *Inner = dyn_cast<UnaryOperator>(E))
      if (Inner->getOpcode() == UO_Deref)
        return threadLocalKey(Inner->getSubExpr(), At);
  }
  if (!IsAddress) { // a copy of a local that holds an address
    auto It = At.find(placeOf(E, false));
    return It != At.end() && (It->second.States & (Used | Stale)) ? It->second.Source : nullptr;
  }
  while (IsAddress) {
    E = E->IgnoreParenCasts();
    if (const auto *Member = dyn_cast<MemberExpr>(E)) {
      if (Member->isArrow())
        return nullptr;
      E = Member->getBase();
    } else if (const auto *Index = dyn_cast<ArraySubscriptExpr>(E)) {
      if (!Index->getBase()->IgnoreParenImpCasts()->getType()->isArrayType())
        return nullptr;
      E = Index->getBase();
    } else {
      break;
    }
  }
  const auto *Ref = dyn_cast<DeclRefExpr>(E);
  if (IsAddress && Ref != nullptr && isThreadLocal(Ref->getDecl()))
    return cast<ValueDecl>(Ref->getDecl()->getCanonicalDecl());
  return nullptr;
}

//===-- variables that hold addresses --------------------------------------===//

const VarDecl *TlsFlow::partOf(const VarDecl *Root, const std::string &Path, bool Make) {
  if (!Make) {
    auto Of = Parts.find(Root);
    auto It = Of != Parts.end() ? Of->second.find(Path) : decltype(Of->second.end())();
    return Of != Parts.end() && It != Of->second.end() ? It->second : nullptr;
  }
  const VarDecl *&Slot = Parts[Root][Path];
  if (Slot == nullptr) {
    IdentifierInfo &Name = Lint.Context.Idents.get(Root->getName().str() + Path);
    auto *Owner = const_cast<DeclContext *>(Root->getDeclContext());
    Slot = VarDecl::Create(Lint.Context, Owner, Root->getBeginLoc(), Root->getLocation(), &Name,
                           Lint.Context.VoidPtrTy, nullptr, SC_None);
  }
  return Slot;
}

/// The local variable, or the stand-in for a part of one, that an lvalue names; or null.
const VarDecl *TlsFlow::placeOf(const Expr *E, bool Make) {
  std::string Path;
  for (unsigned Depth = 0; Depth < 8; ++Depth) {
    E = E->IgnoreParenImpCasts();
    if (const auto *Ref = dyn_cast<DeclRefExpr>(E)) {
      const auto *Var = dyn_cast<VarDecl>(Ref->getDecl());
      if (Var == nullptr || !Var->hasLocalStorage())
        return nullptr;
      return Path.empty() ? Var : partOf(Var, Path, Make);
    }
    if (const auto *Member = dyn_cast<MemberExpr>(E)) {
      if (Path.find("->") != std::string::npos)
        return nullptr; // the pointer in between may have changed
      Path = (Member->isArrow() ? "->" : ".") + Member->getMemberDecl()->getNameAsString() + Path;
      E = Member->getBase();
      continue;
    }
    const auto *Index = dyn_cast<ArraySubscriptExpr>(E);
    Expr::EvalResult Number;
    if (Index == nullptr || !Index->getBase()->IgnoreParenImpCasts()->getType()->isArrayType() ||
        !Index->getIdx()->EvaluateAsInt(Number, Lint.Context))
      return nullptr;
    Path = "[" + std::to_string(Number.Val.getInt().getExtValue()) + "]" + Path;
    E = Index->getBase();
  }
  return nullptr;
}

void TlsFlow::forgetParts(const VarDecl *Var, Facts &At) {
  auto Of = Parts.find(Var);
  if (Of != Parts.end())
    for (const auto &Part : Of->second)
      At.erase(Part.second);
}

void TlsFlow::assign(const VarDecl *Place, const Expr *Value, const Stmt *S, Facts &At) {
  if (!Place->hasLocalStorage())
    return;
  forgetParts(Place, At);
  Key Source = Value != nullptr ? threadLocalKey(Value, At) : nullptr;
  if (Source == nullptr) {
    At.erase(Place);
    return;
  }
  Fact F;
  F.States = Used;
  F.FirstUse = S;
  F.Source = Source;
  // A copy of an address that is stale already stays so.
  auto It = At.find(placeOf(Value->IgnoreParenCasts(), false));
  if (It != At.end() && It->second.Source != nullptr)
    F = It->second;
  At[Place] = F;
}

/// `struct x local = {&thread_local}` and arrays of the kind.
void TlsFlow::assignParts(const VarDecl *Var, const InitListExpr *List, const Stmt *S, Facts &At) {
  if (!List->isSemanticForm() && List->getSemanticForm() != nullptr)
    List = List->getSemanticForm();
  const RecordDecl *Record = List->getType()->getAsRecordDecl();
  if (Record != nullptr && Record->isUnion())
    return;
  std::vector<std::string> Names;
  if (Record != nullptr) {
    for (const FieldDecl *Field : Record->fields())
      if (!Field->isBitField() || Field->getDeclName())
        Names.push_back("." + Field->getNameAsString());
  }
  for (unsigned I = 0; I < List->getNumInits() && I < 64; ++I) {
    if (Record != nullptr && I >= Names.size())
      return;
    std::string Path = Record != nullptr ? Names[I] : "[" + std::to_string(I) + "]";
    if (threadLocalKey(List->getInit(I), At) != nullptr)
      assign(partOf(Var, Path, true), List->getInit(I), S, At);
  }
}

void TlsFlow::assignTo(const Expr *Place, const Expr *Value, const Stmt *S, Facts &At) {
  bool Holds = threadLocalKey(Value, At) != nullptr;
  if (const VarDecl *Var = placeOf(Place, Holds))
    assign(Var, Value, S, At);
}

/// The value of a variable is used.
void TlsFlow::load(const Expr *Place, const Stmt *S, Facts &At) {
  const VarDecl *Var = placeOf(Place, false);
  auto It = Var != nullptr ? At.find(Var) : At.end();
  if (It == At.end() || It->second.Source == nullptr || !(It->second.States & Stale))
    return;
  if (isa<ParmVarDecl>(It->second.Source)) {
    if (Into != nullptr)
      Into->LateParams.emplace(It->second.Source, S);
  } else {
    report(Var, It->second, S, nullptr, nullptr);
  }
  At.erase(It); // said once
}

void TlsFlow::step(const Stmt *S, Facts &At) {
  if (const auto *Ref = dyn_cast<DeclRefExpr>(S)) {
    if (isThreadLocal(Ref->getDecl()))
      use(cast<ValueDecl>(Ref->getDecl()->getCanonicalDecl()), S, At);
  } else if (const auto *Cast = dyn_cast<ImplicitCastExpr>(S)) {
    if (Cast->getCastKind() == CK_LValueToRValue)
      load(Cast->getSubExpr(), S, At);
  } else if (const auto *Call = dyn_cast<CallExpr>(S)) {
    call(Call, At);
  } else if (const auto *Decls = dyn_cast<DeclStmt>(S)) {
    for (const Decl *D : Decls->decls()) {
      const auto *Var = dyn_cast<VarDecl>(D);
      if (Var == nullptr)
        continue;
      assign(Var, Var->getInit(), S, At);
      if (const auto *List = dyn_cast_or_null<InitListExpr>(Var->getInit()))
        if (Var->hasLocalStorage())
          assignParts(Var, List, S, At);
    }
  } else if (const auto *Assign = dyn_cast<BinaryOperator>(S)) {
    if (Assign->getOpcode() == BO_Assign)
      assignTo(Assign->getLHS(), Assign->getRHS(), S, At);
  }
}

Facts TlsFlow::flow(const FunctionDecl *F, unsigned Initial, bool Report, Summary *Record) {
  std::unique_ptr<CFG> &Graph = Graphs[F];
  if (Graph == nullptr) {
    CFG::BuildOptions Options;
    Options.setAllAlwaysAdd();
    Options.PruneTriviallyFalseEdges = true;
    Graph = CFG::buildCFG(F, F->getBody(), &Lint.Context, Options);
  }
  if (Graph == nullptr)
    return {};
  auto RunBlock = [&](const CFGBlock &Block, Facts At, bool Speak) {
    const FunctionDecl *OldCurrent = Current;
    bool OldReporting = Reporting;
    Summary *OldInto = Into;
    unsigned OldInitial = InitialState;
    Current = F, Reporting = Speak, Into = Record, InitialState = Initial;
    for (const CFGElement &Element : Block)
      if (auto Statement = Element.getAs<CFGStmt>())
        step(Statement->getStmt(), At);
    Current = OldCurrent, Reporting = OldReporting, Into = OldInto, InitialState = OldInitial;
    return At;
  };
  std::vector<Facts> Entry(Graph->getNumBlockIDs());
  std::vector<bool> Reached(Graph->getNumBlockIDs(), false);
  for (Key K : keysOf(F))
    Entry[Graph->getEntry().getBlockID()][K].States = Initial;
  // Callers may give the address of a thread-local.
  for (const ParmVarDecl *Param : F->parameters()) {
    if (!Param->getType()->isPointerType() || Record == nullptr)
      continue;
    Fact &Given = Entry[Graph->getEntry().getBlockID()][Param];
    Given.States = Used;
    Given.Source = Param;
  }
  std::vector<const CFGBlock *> Work{&Graph->getEntry()};
  Reached[Graph->getEntry().getBlockID()] = true;
  for (unsigned Steps = 0; !Work.empty() && Steps < 200000; ++Steps) {
    const CFGBlock *Block = Work.back();
    Work.pop_back();
    Facts After = RunBlock(*Block, Entry[Block->getBlockID()], false);
    for (const CFGBlock *Next : Block->succs()) {
      if (Next == nullptr)
        continue;
      bool First = !Reached[Next->getBlockID()];
      Facts &Target = Entry[Next->getBlockID()];
      if (First)
        Target = After;
      bool Changed = First || join(Target, After);
      Reached[Next->getBlockID()] = true;
      if (Changed)
        Work.push_back(Next);
    }
  }
  if (Report)
    for (const CFGBlock *Block : *Graph)
      if (Reached[Block->getBlockID()])
        RunBlock(*Block, Entry[Block->getBlockID()], true);
  unsigned Exit = Graph->getExit().getBlockID();
  return Reached[Exit] ? Entry[Exit] : Facts();
}

const Summary &TlsFlow::summarise(const FunctionDecl *F) {
  auto Known = Summaries.find(F);
  if (Known != Summaries.end())
    return Known->second;
  Summaries[F].MayYield = Lint.Facts.yields(F); // while it is being computed: recursion
  Summary Result;
  const unsigned States[3] = {None, Used, Stale};
  for (unsigned I = 0; I < 3; ++I) {
    Facts AtExit = flow(F, States[I], false, &Result);
    for (Key K : keysOf(F)) {
      auto It = AtExit.find(K);
      Result.Keys[K].After[I] = It == AtExit.end() ? States[I] : It->second.States;
    }
  }
  // A key that only this function's locals hold is nobody else's business.
  for (auto It = Result.Keys.begin(); It != Result.Keys.end();)
    It = keysOf(F).count(It->first) ? std::next(It) : Result.Keys.erase(It);
  Result.MayYield = Lint.Facts.yields(F);
  Result.Ready = true;
  return Summaries[F] = Result;
}

/// Whether a function asks for something of its thread's that it could keep.
static bool callsForValue(const FunctionFacts &Found) {
  for (const CallExpr *Call : Found.Calls)
    if (valueCallee(Call) != nullptr)
      return true;
  return false;
}

bool TlsFlow::callsForAddress(const FunctionFacts &Found) {
  for (const CallExpr *Call : Found.Calls)
    if (const FunctionDecl *Callee = bodyOf(Call->getDirectCallee()))
      if (returnedKey(Callee) != nullptr)
        return true;
  return false;
}

void TlsFlow::run() {
  for (const FunctionFacts *Found : Lint.Facts.functions()) {
    const FunctionDecl *F = Found->Definition;
    if (Found->YieldCall == nullptr || !Lint.isOurs(F->getLocation()))
      continue;
    if (!keysOf(F).empty() || callsForValue(*Found) || callsForAddress(*Found))
      flow(F, None, true, nullptr);
  }
}

void checkTlsOverYield(LintContext &Lint) { TlsFlow(Lint).run(); }

} // namespace cede
