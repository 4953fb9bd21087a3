//===- uses.cpp - how an expression or a call uses an address -----------------===//
#include "uses.h"

#include "clang/AST/Attr.h"

using namespace clang;
using namespace ento;
using llvm::StringRef;

namespace cede {

const Expr *pointerOf(const Stmt *S) {
  const auto *E = dyn_cast_or_null<Expr>(S);
  while (E != nullptr) {
    E = E->IgnoreParenCasts();
    if (const auto *Member = dyn_cast<MemberExpr>(E)) {
      if (Member->isArrow())
        return Member->getBase()->IgnoreParenImpCasts();
      E = Member->getBase();
    } else if (const auto *Index = dyn_cast<ArraySubscriptExpr>(E)) {
      E = Index->getBase();
      if (E->IgnoreParenImpCasts()->getType()->isPointerType())
        return E->IgnoreParenImpCasts();
    } else if (const auto *Unary = dyn_cast<UnaryOperator>(E)) {
      if (Unary->getOpcode() == UO_Deref)
        return Unary->getSubExpr()->IgnoreParenImpCasts();
      E = Unary->getSubExpr();
    } else if (const auto *Binary = dyn_cast<BinaryOperator>(E)) {
      if (!Binary->isAssignmentOp())
        return nullptr;
      E = Binary->getLHS();
    } else {
      return nullptr;
    }
  }
  return nullptr;
}

bool onlyPrintsAddress(const CallEvent &Call, unsigned Index) {
  const auto *F = dyn_cast_or_null<FunctionDecl>(Call.getDecl());
  const auto *Format = F != nullptr ? F->getAttr<FormatAttr>() : nullptr;
  if (Format == nullptr || Format->getFirstArg() < 1 || Format->getFormatIdx() < 1 ||
      unsigned(Format->getFormatIdx()) > Call.getNumArgs())
    return false;
  const Expr *Text = Call.getArgExpr(unsigned(Format->getFormatIdx()) - 1)->IgnoreParenImpCasts();
  const auto *Literal = dyn_cast<StringLiteral>(Text);
  if (Literal == nullptr || Literal->getCharByteWidth() != 1)
    return false;
  unsigned Next = unsigned(Format->getFirstArg()) - 1;
  StringRef Rest = Literal->getString();
  for (size_t At = Rest.find('%'); At != StringRef::npos; At = Rest.find('%')) {
    Rest = Rest.drop_front(At + 1);
    size_t Conversion = Rest.find_first_not_of("0123456789-+ #'.*hlLqjzt");
    if (Conversion == StringRef::npos)
      return false;
    Next += unsigned(Rest.take_front(Conversion).count('*'));
    if (Next == Index)
      return Rest[Conversion] == 'p';
    Next += Rest[Conversion] == '%' ? 0 : 1;
    Rest = Rest.drop_front(Conversion + 1);
  }
  return false;
}

} // namespace cede
