//===- uses.h - how an expression or a call uses an address -------------------===//
#ifndef CEDE_ANALYZER_CHECKERS_USES_H
#define CEDE_ANALYZER_CHECKERS_USES_H

#include "clang/AST/Expr.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/CallEvent.h"

namespace cede {

/// The expression whose value is the pointer that a load or store goes through.
const clang::Expr *pointerOf(const clang::Stmt *S);

/// printf("%p", m) looks at the address only: whether argument \p Index is printed so.
bool onlyPrintsAddress(const clang::ento::CallEvent &Call, unsigned Index);

} // namespace cede

#endif
