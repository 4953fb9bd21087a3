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
#include "llvm/ADT/STLFunctionalExtras.h"

namespace cede {

/// The symbol that stands for the address a value is, or is derived from.
clang::ento::SymbolRef baseSymbol(clang::ento::SVal V);

/// Whether a field holds a block of its own that belongs to the message: the text of a string, the
/// items of a list, the content of a box (`opt`).
bool isOwningField(const clang::FieldDecl *Field);

/// The place in a message that the address of a block of its own was read from: a field as above,
/// or one of several boxes; null for another address.
const clang::ento::TypedValueRegion *owningPlace(clang::ento::SymbolRef Part);

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

/// Calls \p Visit with each pointer in a value that is stored in \p Place, also those in the fields
/// of a struct, and with the place that it comes to.
void forEachPointer(
    clang::ento::ProgramStateRef State, const clang::ento::TypedValueRegion *Place,
    clang::ento::SVal Value,
    llvm::function_ref<void(const clang::ento::TypedValueRegion *, clang::ento::SVal)> Visit);

/// The type of what is stored in a place; null when nobody knows.
clang::QualType placeType(const clang::ento::MemRegion *Place);
clang::ento::SVal valueIn(clang::ento::ProgramStateRef State, const clang::ento::MemRegion *Place);

} // namespace cede

#endif
