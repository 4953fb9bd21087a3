//===- evaluated.h - visits only what a program evaluates ------------------===//
//
// A RecursiveASTVisitor that skips operands of sizeof, alignof and typeof, the controlling
// expression and the branches of _Generic that were not chosen, static assertions, and branches
// under a constant condition that excludes them: none of them runs.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_LINT_EVALUATED_H
#define CEDE_ANALYZER_LINT_EVALUATED_H

#include "clang/AST/RecursiveASTVisitor.h"

namespace cede {

template <typename Derived> class EvaluatedVisitor : public clang::RecursiveASTVisitor<Derived> {
  using Base = clang::RecursiveASTVisitor<Derived>;

public:
  bool TraverseUnaryExprOrTypeTraitExpr(clang::UnaryExprOrTypeTraitExpr *) { return true; }
  bool TraverseTypeLoc(clang::TypeLoc) { return true; }
  bool TraverseStaticAssertDecl(clang::StaticAssertDecl *) { return true; }
  bool TraverseGenericSelectionExpr(clang::GenericSelectionExpr *E) {
    return E->isResultDependent() || Base::getDerived().TraverseStmt(E->getResultExpr());
  }
  bool TraverseChooseExpr(clang::ChooseExpr *E) {
    return E->isConditionDependent() || Base::getDerived().TraverseStmt(E->getChosenSubExpr());
  }
  /// `if (0)`; a branch with a label may be jumped into.
  bool TraverseIfStmt(clang::IfStmt *S, typename Base::DataRecursionQueue * = nullptr) {
    bool Holds = false;
    const clang::Expr *Cond = S->getCond();
    if (S->getConditionVariable() != nullptr || !constant(Cond, Holds))
      return Base::TraverseIfStmt(S);
    clang::Stmt *Dead = Holds ? S->getElse() : S->getThen();
    clang::Stmt *Live = Holds ? S->getThen() : S->getElse();
    if (hasLabel(Dead))
      return Base::TraverseIfStmt(S);
    return Live == nullptr || Base::getDerived().TraverseStmt(Live);
  }
  bool TraverseConditionalOperator(clang::ConditionalOperator *E,
                                   typename Base::DataRecursionQueue * = nullptr) {
    bool Holds = false;
    if (!constant(E->getCond(), Holds))
      return Base::TraverseConditionalOperator(E);
    return Base::getDerived().TraverseStmt(Holds ? E->getTrueExpr() : E->getFalseExpr());
  }
  /// An attribute's expressions are not evaluated.
  bool TraverseAttr(clang::Attr *) { return true; }

private:
  static bool constant(const clang::Expr *Cond, bool &Holds) {
    const clang::Expr *E = Cond->IgnoreParenCasts();
    if (const auto *Not = llvm::dyn_cast<clang::UnaryOperator>(E)) {
      if (Not->getOpcode() != clang::UO_LNot || !constant(Not->getSubExpr(), Holds))
        return false;
      Holds = !Holds;
      return true;
    }
    // Only what is written as a number: a comparison may hold on another machine.
    const auto *Number = llvm::dyn_cast<clang::IntegerLiteral>(E);
    if (Number != nullptr)
      Holds = Number->getValue() != 0;
    return Number != nullptr;
  }
  static bool hasLabel(const clang::Stmt *S) {
    if (S == nullptr)
      return false;
    if (llvm::isa<clang::LabelStmt>(S) || llvm::isa<clang::SwitchCase>(S))
      return true;
    for (const clang::Stmt *Child : S->children())
      if (hasLabel(Child))
        return true;
    return false;
  }
};

} // namespace cede

#endif
