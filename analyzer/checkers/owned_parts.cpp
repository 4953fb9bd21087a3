//===- owned_parts.cpp - which addresses are parts of which message -----------===//
#include "owned_parts.h"

#include "clang/StaticAnalyzer/Core/PathSensitive/CheckerContext.h"

using namespace clang;
using namespace ento;

/// What a call returned that is a part of what its argument leads to (CEDE_LENDS).
REGISTER_MAP_WITH_PROGRAMSTATE(LentParts, SymbolRef, SymbolRef)

namespace cede {

SymbolRef baseSymbol(SVal V) { return V.getAsLocSymbol(/*IncludeBaseRegions=*/true); }

/// Whether a field holds a block of its own that belongs to the message: the text of a string, the
/// items of a list.
static bool isOwningField(const FieldDecl *Field) {
  StringRef Name = Field->getName();
  const RecordDecl *Record = Field->getParent();
  if (Name == "data")
    return Record->getName() == "cede_str" || Record->getName() == "cede_bytes";
  return Name == "items" && Record->getName().empty();
}

const FieldRegion *owningField(SymbolRef Part) {
  const auto *Field = dyn_cast_or_null<FieldRegion>(Part->getOriginRegion());
  if (Field == nullptr || !isOwningField(Field->getDecl()))
    return nullptr;
  return isa<SymbolicRegion>(Field->getBaseRegion()) ? Field : nullptr;
}

SymbolRef owningSymbol(ProgramStateRef State, SymbolRef Part) {
  if (const FieldRegion *Field = owningField(Part))
    return cast<SymbolicRegion>(Field->getBaseRegion())->getSymbol();
  const SymbolRef *Lender = State->get<LentParts>(Part);
  return Lender != nullptr ? *Lender : nullptr;
}

void owningFields(const TypedValueRegion *Whole, MemRegionManager &Regions, unsigned Depth,
                  llvm::SmallVectorImpl<const FieldRegion *> &Out) {
  const RecordDecl *Record = Whole->getValueType()->getAsRecordDecl();
  if (Record == nullptr || Record->getDefinition() == nullptr || Depth > 4)
    return;
  for (const FieldDecl *Field : Record->getDefinition()->fields()) {
    const FieldRegion *Region = Regions.getFieldRegion(Field, Whole);
    if (isOwningField(Field))
      Out.push_back(Region);
    else
      owningFields(Region, Regions, Depth + 1, Out);
  }
}

ProgramStateRef setLender(ProgramStateRef State, SymbolRef Part, SymbolRef Whole) {
  return State->set<LentParts>(Part, Whole);
}

bool anyIsLent(ProgramStateRef State) { return !State->get<LentParts>().isEmpty(); }

ProgramStateRef forgetDeadParts(ProgramStateRef State, SymbolReaper &Reaper) {
  for (const auto &Entry : State->get<LentParts>())
    if (Reaper.isDead(Entry.first))
      State = State->remove<LentParts>(Entry.first);
  return State;
}

QualType placeType(const MemRegion *Place) {
  if (const auto *Typed = dyn_cast<TypedValueRegion>(Place))
    return Typed->getValueType();
  const auto *Symbolic = dyn_cast<SymbolicRegion>(Place);
  return Symbolic != nullptr ? Symbolic->getSymbol()->getType()->getPointeeType() : QualType();
}

SVal valueIn(ProgramStateRef State, const MemRegion *Place) {
  return State->getSVal(loc::MemRegionVal(Place), placeType(Place));
}

} // namespace cede
