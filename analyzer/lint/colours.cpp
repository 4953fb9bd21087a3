//===- colours.cpp - who yields in one translation unit --------------------===//
#include "colours.h"

#include "evaluated.h"

using namespace clang;

namespace cede {

namespace {
class CallCollector : public EvaluatedVisitor<CallCollector> {
public:
  explicit CallCollector(llvm::function_ref<void(CallExpr *)> Visit) : Visit(Visit) {}
  bool VisitCallExpr(CallExpr *Call) {
    Visit(Call);
    return true;
  }

private:
  llvm::function_ref<void(CallExpr *)> Visit;
};
} // namespace

void forEachCall(Stmt *Body, llvm::function_ref<void(CallExpr *)> Visit) {
  CallCollector(Visit).TraverseStmt(Body);
}

Colours::Colours(ASTContext &Context) {
  collect(Context.getTranslationUnitDecl());
  for (FunctionFacts *Facts : Order)
    seed(*Facts);
  for (bool Changed = true; Changed;) {
    Changed = false;
    for (FunctionFacts *Facts : Order)
      Changed |= propagate(*Facts);
  }
}

void Colours::collect(DeclContext *Decls) {
  for (Decl *D : Decls->decls()) {
    if (isa<LinkageSpecDecl, NamespaceDecl>(D)) {
      collect(cast<DeclContext>(D));
      continue;
    }
    auto *F = dyn_cast<FunctionDecl>(D);
    if (F == nullptr || !F->doesThisDeclarationHaveABody())
      continue;
    auto *Facts = new FunctionFacts;
    Facts->Definition = F;
    forEachCall(F->getBody(), [Facts](CallExpr *Call) { Facts->Calls.push_back(Call); });
    for (const Decl *Local : F->decls())
      if (const auto *Var = dyn_cast<VarDecl>(Local))
        Facts->Acquires |= typeHasAnnotation(Var->getType(), "cede::guard");
    Functions[F->getCanonicalDecl()] = Facts;
    Order.push_back(Facts);
  }
}

void Colours::seed(FunctionFacts &Facts) {
  for (const CallExpr *Call : Facts.Calls) {
    if (Facts.YieldCall == nullptr && callDeclaredYields(Call))
      Facts.YieldCall = Call;
    const FunctionDecl *F = Call->getDirectCallee();
    if (F != nullptr && F->getCanonicalDecl() != Facts.Definition->getCanonicalDecl())
      Called.insert(F->getCanonicalDecl());
    if (const Promise *P = promiseOfCall(Call)) {
      Facts.Moves |= P->movesSomething();
      Facts.Acquires |= P->acquires();
    }
    Facts.Acquires |= typeHasAnnotation(Call->getType(), "cede::guard");
  }
}

bool Colours::propagate(FunctionFacts &Facts) {
  bool Changed = false;
  for (const CallExpr *Call : Facts.Calls) {
    const FunctionDecl *F = Call->getDirectCallee();
    const FunctionFacts *Callee = F != nullptr ? find(F) : nullptr;
    if (Callee == nullptr)
      continue;
    if (Facts.YieldCall == nullptr && Callee->YieldCall != nullptr) {
      Facts.YieldCall = Call;
      Changed = true;
    }
    if ((Callee->Moves && !Facts.Moves) || (Callee->Acquires && !Facts.Acquires)) {
      Facts.Moves |= Callee->Moves;
      Facts.Acquires |= Callee->Acquires;
      Changed = true;
    }
  }
  return Changed;
}

const FunctionFacts *Colours::find(const FunctionDecl *F) const {
  auto It = Functions.find(F->getCanonicalDecl());
  return It == Functions.end() ? nullptr : It->second;
}

bool Colours::yields(const FunctionDecl *F) const {
  if (promiseOf(F).Yields)
    return true;
  const FunctionFacts *Facts = find(F);
  return Facts != nullptr && Facts->YieldCall != nullptr;
}

bool Colours::callYields(const CallExpr *Call) const {
  if (const FunctionDecl *F = Call->getDirectCallee())
    return yields(F);
  return callDeclaredYields(Call);
}

bool Colours::isCalled(const FunctionDecl *F) const {
  return Called.count(F->getCanonicalDecl()) != 0;
}

bool Colours::isHandler(const FunctionDecl *F) const {
  for (const FunctionFacts *Facts : Order) {
    if (!hasPrefix(Facts->Definition->getNameAsString(), "cedei_dispatch_"))
      continue;
    for (const CallExpr *Call : Facts->Calls) {
      const FunctionDecl *Callee = Call->getDirectCallee();
      if (Callee != nullptr && Callee->getCanonicalDecl() == F->getCanonicalDecl())
        return true;
    }
  }
  return false;
}

bool Colours::worthAnalysing(const FunctionDecl *F) const {
  const FunctionFacts *Facts = find(F);
  if (Facts == nullptr)
    return false;
  return Facts->Moves || isHandler(F) || (Facts->YieldCall != nullptr && Facts->Acquires);
}

} // namespace cede
