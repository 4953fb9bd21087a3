//===- colours.h - who yields in one translation unit ----------------------===//
//
// The call graph of a translation unit with what its functions reach: yields, moves, guards.
// Unevaluated operands (sizeof, typeof, the branches of _Generic that were not chosen) are no
// calls.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_LINT_COLOURS_H
#define CEDE_ANALYZER_LINT_COLOURS_H

#include "promises.h"

#include "clang/AST/ASTContext.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <vector>

namespace cede {

struct FunctionFacts {
  const clang::FunctionDecl *Definition = nullptr;
  std::vector<const clang::CallExpr *> Calls;
  const clang::CallExpr *YieldCall = nullptr; ///< the first call that yields; null: never yields
  bool Moves = false;                         ///< reaches a call that moves a message
  bool Acquires = false; ///< reaches a call that takes a guard, or holds a value of one
};

class Colours {
public:
  explicit Colours(clang::ASTContext &Context);

  /// The facts of a function with a body in this translation unit, or null.
  const FunctionFacts *find(const clang::FunctionDecl *F) const;
  /// Declared or found to yield.
  bool yields(const clang::FunctionDecl *F) const;
  bool callYields(const clang::CallExpr *Call) const;
  /// Whether the path-sensitive rules can find anything in \p F; everything else costs nothing.
  bool worthAnalysing(const clang::FunctionDecl *F) const;
  /// Whether a behaviour's dispatch function calls \p F, so that it is a turn of its own.
  bool isHandler(const clang::FunctionDecl *F) const;
  /// Whether a function of this file calls \p F.
  bool isCalled(const clang::FunctionDecl *F) const;
  /// All functions with bodies, in the order of the file.
  const std::vector<FunctionFacts *> &functions() const { return Order; }

private:
  void collect(clang::DeclContext *Decls);
  void seed(FunctionFacts &Facts);
  bool propagate(FunctionFacts &Facts);

  llvm::DenseMap<const clang::FunctionDecl *, FunctionFacts *> Functions;
  std::vector<FunctionFacts *> Order;
  llvm::SmallPtrSet<const clang::FunctionDecl *, 32> Called;
};

/// Calls \p Visit for every evaluated call in a statement, in the order of the text.
void forEachCall(clang::Stmt *Body, llvm::function_ref<void(clang::CallExpr *)> Visit);

} // namespace cede

#endif
