//===- owned_parts.h - which addresses are parts of which message -------------===//
//
// A message owns blocks of its own: texts, bytes, lists. Their addresses are gone with the message.
// What a function with a CEDE_LENDS parameter returned is a part as well.
//
//===----------------------------------------------------------------------===//
#ifndef CEDE_ANALYZER_CHECKERS_OWNED_PARTS_H
#define CEDE_ANALYZER_CHECKERS_OWNED_PARTS_H

#include "clang/StaticAnalyzer/Core/PathSensitive/ProgramState.h"
#include "clang/StaticAnalyzer/Core/PathSensitive/SymbolManager.h"

namespace cede {

/// The symbol that stands for the address a value is, or is derived from.
clang::ento::SymbolRef baseSymbol(clang::ento::SVal V);

/// For the text of an owned string or the items of an owned list, the field that it was read from.
const clang::ento::FieldRegion *owningField(clang::ento::SymbolRef Part);

/// The message, or part of one, that \p Part is a part of; null when it is none.
clang::ento::SymbolRef owningSymbol(clang::ento::ProgramStateRef State,
                                    clang::ento::SymbolRef Part);

/// The field regions of \p Whole, at any depth, that hold blocks of their own.
void owningFields(const clang::ento::TypedValueRegion *Whole,
                  clang::ento::MemRegionManager &Regions, unsigned Depth,
                  llvm::SmallVectorImpl<const clang::ento::FieldRegion *> &Out);

/// Notes that \p Part was returned as a part of what \p Whole leads to.
clang::ento::ProgramStateRef setLender(clang::ento::ProgramStateRef State,
                                       clang::ento::SymbolRef Part, clang::ento::SymbolRef Whole);
bool anyIsLent(clang::ento::ProgramStateRef State);
clang::ento::ProgramStateRef forgetDeadParts(clang::ento::ProgramStateRef State,
                                             clang::ento::SymbolReaper &Reaper);

/// The type of what is stored in a place; null when nobody knows.
clang::QualType placeType(const clang::ento::MemRegion *Place);
clang::ento::SVal valueIn(clang::ento::ProgramStateRef State, const clang::ento::MemRegion *Place);

} // namespace cede

#endif
