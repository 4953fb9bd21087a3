//===- evaluated.h - visits only what a program evaluates ------------------===//
//
// A RecursiveASTVisitor that skips operands of sizeof, alignof and typeof, the controlling
// expression and the branches of _Generic that were not chosen, and static assertions: none of them
// runs.
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
  /// An attribute's expressions are not evaluated.
  bool TraverseAttr(clang::Attr *) { return true; }
};

} // namespace cede

#endif
