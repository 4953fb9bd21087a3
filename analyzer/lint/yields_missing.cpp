//===- yields_missing.cpp - a function that yields does not say so ---------===//
//
// Rule: a function that calls something that yields, directly or through functions of the same
// file, is declared CEDE_YIELDS; a pointer that is given such a function has a CEDE_YIELDS type; a
// CEDE_NOYIELD function reaches no yield. Harm: callers in other files believe that they stay on
// their thread, and so do the other rules. Example:
//     static void pause_a_little(cede_self *self) { cede_yield(self); }      // not declared
//     CEDE_YIELDS
// Cannot see: yields behind calls to functions of other files that are not declared themselves, and
// functions whose type is hidden by an explicit cast.
//
//===----------------------------------------------------------------------===//
#include "evaluated.h"
#include "rules.h"

#include "clang/AST/Attr.h"

using namespace clang;

namespace cede {

namespace {

std::string quoted(const std::string &Text) { return "'" + Text + "'"; }

/// "'a' calls 'b', which calls 'c', which yields", with a note for every step.
void addCallChain(const FunctionFacts *Facts, LintContext &Lint, Finding &F) {
  for (unsigned Depth = 0; Facts != nullptr && Facts->YieldCall != nullptr && Depth < 8; ++Depth) {
    const CallExpr *Call = Facts->YieldCall;
    std::string Name = calleeName(Call);
    const FunctionDecl *Callee = Call->getDirectCallee();
    bool Declared = callDeclaredYields(Call);
    F.Notes.push_back({Call->getBeginLoc(), Declared ? quoted(Name) + " is declared CEDE_YIELDS"
                                                     : quoted(Name) + " is called here"});
    Facts = Declared || Callee == nullptr ? nullptr : Lint.Facts.find(Callee);
  }
}

void reportUndeclared(const FunctionFacts &Facts, LintContext &Lint) {
  const FunctionDecl *F = Facts.Definition;
  Finding Out;
  Out.Rule = "yields-missing";
  Out.Loc = F->getLocation();
  Out.In = F;
  const char *Way =
      callDeclaredYields(Facts.YieldCall) ? ", which yields" : ", which reaches a yield";
  Out.Fact = quoted(displayName(F)) + " calls " + quoted(calleeName(Facts.YieldCall)) + Way +
             ", but is not declared CEDE_YIELDS";
  const FunctionDecl *First = F->getCanonicalDecl();
  Out.Repair =
      First == F ? "declare it CEDE_YIELDS" : "declare it CEDE_YIELDS, where its callers see it";
  addCallChain(&Facts, Lint, Out);
  SourceLocation At = First->getOuterLocStart();
  if (At.isValid() && !At.isMacroID() && Lint.isOurs(At) && Lint.macroExists("CEDE_YIELDS"))
    Out.Fixes.push_back({At, "CEDE_YIELDS "});
  Lint.Report(Out);
}

void reportBrokenPromise(const FunctionFacts &Facts, LintContext &Lint) {
  Finding Out;
  Out.Rule = "yields-missing";
  Out.Loc = Facts.YieldCall->getBeginLoc();
  Out.In = Facts.Definition;
  Out.Fact = quoted(displayName(Facts.Definition)) + " is declared CEDE_NOYIELD but calls " +
             quoted(calleeName(Facts.YieldCall)) + ", which " +
             (callDeclaredYields(Facts.YieldCall) ? "yields" : "reaches a yield");
  Out.Repair = "take the call out, or declare the function CEDE_YIELDS instead";
  Out.Notes.push_back({Facts.Definition->getCanonicalDecl()->getLocation(), "the promise is here"});
  addCallChain(Lint.Facts.find(Facts.Definition), Lint, Out);
  Lint.Report(Out);
}

/// Looks at every place where a function becomes a value.
class PointerVisitor : public EvaluatedVisitor<PointerVisitor> {
public:
  explicit PointerVisitor(LintContext &Lint) : Lint(Lint) {}

  bool VisitVarDecl(VarDecl *Var) {
    if (Var->hasInit() && !isa<ParmVarDecl>(Var))
      give(Var->getInit(), Var, Var->getType());
    return true;
  }
  bool VisitBinaryOperator(BinaryOperator *E) {
    if (E->getOpcode() == BO_Assign)
      give(E->getRHS(), pointerSource(E->getLHS()), E->getLHS()->getType());
    return true;
  }
  bool VisitCallExpr(CallExpr *Call) {
    const FunctionDecl *F = Call->getDirectCallee();
    QualType CalleeType = Call->getCallee()->getType();
    const auto *Proto = CalleeType->getPointeeType().isNull()
                            ? nullptr
                            : CalleeType->getPointeeType()->getAs<FunctionProtoType>();
    for (unsigned I = 0; I < Call->getNumArgs(); ++I) {
      if (F != nullptr && I < F->getNumParams())
        give(Call->getArg(I), latestParam(F, I), F->getParamDecl(I)->getType());
      else if (Proto != nullptr && I < Proto->getNumParams())
        give(Call->getArg(I), nullptr, Proto->getParamType(I));
    }
    return true;
  }
  bool VisitReturnStmt(ReturnStmt *Return) {
    if (Return->getRetValue() != nullptr && Current != nullptr)
      give(Return->getRetValue(), nullptr, Current->getReturnType());
    return true;
  }
  bool TraverseFunctionDecl(FunctionDecl *F) {
    const FunctionDecl *Outer = Current;
    Current = F;
    bool More = EvaluatedVisitor<PointerVisitor>::TraverseFunctionDecl(F);
    Current = Outer;
    return More;
  }
  bool TraverseInitListExpr(InitListExpr *E) {
    InitListExpr *Semantic = E->isSemanticForm() ? E : E->getSemanticForm();
    visitInitList(Semantic != nullptr ? Semantic : E);
    return EvaluatedVisitor<PointerVisitor>::TraverseInitListExpr(E);
  }

private:
  /// Any redeclaration's parameter that says CEDE_YIELDS, else the first.
  static const ValueDecl *latestParam(const FunctionDecl *F, unsigned Index) {
    for (const FunctionDecl *R : F->redecls())
      if (Index < R->getNumParams() && pointerYields(R->getParamDecl(Index), QualType()))
        return R->getParamDecl(Index);
    return F->getParamDecl(Index);
  }

  /// \p E in its semantic form, in which each field has its value; the forms as written are visited
  /// as well, so each is looked at once.
  void visitInitList(InitListExpr *E) {
    if (!Seen.insert(E).second)
      return;
    for (Expr *Init : E->inits())
      if (auto *Inner = dyn_cast_or_null<InitListExpr>(Init))
        visitInitList(Inner); // `.a.b = x` makes a list that nobody wrote
    const auto *Record = E->getType()->getAsRecordDecl();
    if (Record == nullptr) {
      for (Expr *Init : E->inits())
        give(Init, nullptr, Lint.Context.getBaseElementType(E->getType()));
      return;
    }
    if (Record->isUnion()) {
      if (E->getNumInits() == 1 && E->getInitializedFieldInUnion() != nullptr)
        give(E->getInit(0), E->getInitializedFieldInUnion(),
             E->getInitializedFieldInUnion()->getType());
      return;
    }
    unsigned Index = 0;
    for (const FieldDecl *Field : Record->fields()) {
      if (Field->isBitField() && !Field->getDeclName())
        continue;
      if (Index >= E->getNumInits())
        break;
      give(E->getInit(Index++), Field, Field->getType());
    }
  }

  /// \p Value becomes the value of \p Target.
  void give(Expr *Value, const ValueDecl *Target, QualType TargetType);
  void report(Expr *Value, const NamedDecl *Source, bool IsFunction, const ValueDecl *Target);

  LintContext &Lint;
  const FunctionDecl *Current = nullptr;
  llvm::SmallPtrSet<InitListExpr *, 8> Seen;
};

bool isFunctionPointer(QualType T) {
  return !T.isNull() && T->isPointerType() && T->getPointeeType()->isFunctionType();
}

void PointerVisitor::give(Expr *Value, const ValueDecl *Target, QualType TargetType) {
  if (Value == nullptr)
    return;
  Value = Value->IgnoreParenImpCasts();
  if (auto *Choice = dyn_cast<ConditionalOperator>(Value)) {
    give(Choice->getTrueExpr(), Target, TargetType);
    give(Choice->getFalseExpr(), Target, TargetType);
    return;
  }
  if (auto *List = dyn_cast<InitListExpr>(Value)) {
    QualType Element = Lint.Context.getBaseElementType(TargetType);
    if (!TargetType->isArrayType() || !isFunctionPointer(Element) || !Seen.insert(List).second)
      return;
    for (Expr *Init : List->inits())
      give(Init, Target, isa<InitListExpr>(Init) ? TargetType : Element);
    return;
  }
  if (isa<CastExpr>(Value) || !isFunctionPointer(TargetType))
    return; // an explicit cast is the author's word
  if (pointerYields(Target, TargetType))
    return;
  const ValueDecl *Source = pointerSource(Value);
  if (Source == nullptr)
    return;
  if (const auto *F = dyn_cast<FunctionDecl>(Source)) {
    if (Lint.Facts.yields(F))
      report(Value, F, true, Target);
  } else if (isFunctionPointer(Value->getType()) && pointerYields(Source, Value->getType())) {
    report(Value, Source, false, Target);
  }
}

void PointerVisitor::report(Expr *Value, const NamedDecl *Source, bool IsFunction,
                            const ValueDecl *Target) {
  if (!Lint.isOurs(Value->getBeginLoc()))
    return;
  Finding Out;
  Out.Rule = "yields-missing";
  Out.Loc = Value->getBeginLoc();
  Out.In = Current;
  std::string Where = Target != nullptr && !Target->getName().empty() ? quoted(displayName(Target))
                                                                      : "this function pointer";
  Out.Fact = quoted(displayName(Source)) +
             (IsFunction ? " yields, but " : " points to functions that yield, but ") + Where +
             " is not declared CEDE_YIELDS";
  Out.Repair = "declare " + Where + " CEDE_YIELDS, or do not give it a function that yields";
  if (Target != nullptr)
    Out.Notes.push_back({Target->getLocation(), Where + " is declared here"});
  SourceLocation At = Target != nullptr ? Target->getBeginLoc() : SourceLocation();
  bool SpelledHere = Target != nullptr && Target->getType()->getAs<TypedefType>() == nullptr &&
                     !isa<TypedefType>(Target->getType()->getPointeeType().isNull()
                                           ? Target->getType().getTypePtr()
                                           : Target->getType()->getPointeeType().getTypePtr());
  if (SpelledHere && At.isValid() && !At.isMacroID() && Lint.isOurs(At) &&
      Lint.macroExists("CEDE_YIELDS"))
    Out.Fixes.push_back({At, "CEDE_YIELDS "});
  Lint.Report(Out);
}

} // namespace

void checkYieldsMissing(LintContext &Lint) {
  for (const FunctionFacts *Facts : Lint.Facts.functions()) {
    const FunctionDecl *F = Facts->Definition;
    if (Facts->YieldCall == nullptr || !Lint.isOurs(F->getLocation()))
      continue;
    const Promise &P = promiseOf(F);
    if (P.NoYield)
      reportBrokenPromise(*Facts, Lint);
    else if (!P.Yields)
      reportUndeclared(*Facts, Lint);
  }
  PointerVisitor(Lint).TraverseDecl(Lint.Context.getTranslationUnitDecl());
}

} // namespace cede
