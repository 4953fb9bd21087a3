//===- owned_parts.cpp - which addresses are parts of which message -----------===//
#include "owned_parts.h"

#include "../lint/promises.h"

#include "clang/StaticAnalyzer/Core/PathSensitive/CheckerContext.h"

using namespace clang;
using namespace ento;
using llvm::StringRef;

/// What a call returned that is a part of what its argument leads to (CEDE_LENDS).
REGISTER_MAP_WITH_PROGRAMSTATE(LentParts, SymbolRef, SymbolRef)

namespace cede {

SymbolRef baseSymbol(SVal V) { return V.getAsLocSymbol(/*IncludeBaseRegions=*/true); }

/// Whether a pointer of this type in a message is a box: shared(T) leads to const, sync(T) to an
/// opaque struct.
static bool isBoxType(QualType Type) {
  QualType Content = Type->getPointeeType();
  if (Content.isNull() || Content.isConstQualified())
    return false;
  const RecordDecl *Record = Content->getAsRecordDecl();
  if (Record == nullptr)
    return Content->isArithmeticType() || Content->isEnumeralType();
  StringRef Name = Record->getName();
  return hasAnnotation(Record, "cede::message") || Name == "cede_str" || Name == "cede_bytes" ||
         Name == "cede_ref";
}

static bool isOfMessage(const FieldDecl *Field) {
  return hasAnnotation(Field->getParent(), "cede::message");
}

bool isOwningField(const FieldDecl *Field) {
  StringRef Name = Field->getName();
  const RecordDecl *Record = Field->getParent();
  if (Name == "data" && (Record->getName() == "cede_str" || Record->getName() == "cede_bytes"))
    return true;
  if (Name == "items" && Record->getName().empty())
    return true;
  return isOfMessage(Field) && isBoxType(Field->getType());
}

const TypedValueRegion *owningPlace(SymbolRef Part) {
  const auto *Place = dyn_cast_or_null<TypedValueRegion>(Part->getOriginRegion());
  if (Place == nullptr || !isa<SymbolicRegion>(Place->getBaseRegion()))
    return nullptr;
  if (const auto *Field = dyn_cast<FieldRegion>(Place))
    return isOwningField(Field->getDecl()) ? Field : nullptr;
  const auto *Element = dyn_cast<ElementRegion>(Place);
  if (Element == nullptr || !isBoxType(Element->getElementType()))
    return nullptr;
  // array(opt(T), N) or list(opt(T))
  const auto *Array = dyn_cast<FieldRegion>(Element->getSuperRegion());
  if (Array != nullptr)
    return isOfMessage(Array->getDecl()) ? Element : nullptr;
  const auto *Items = dyn_cast<SymbolicRegion>(Element->getSuperRegion());
  const TypedValueRegion *List = Items != nullptr ? owningPlace(Items->getSymbol()) : nullptr;
  return List != nullptr ? Element : nullptr;
}

SymbolRef owningSymbol(ProgramStateRef State, SymbolRef Part) {
  if (const TypedValueRegion *Place = owningPlace(Part))
    return cast<SymbolicRegion>(Place->getBaseRegion())->getSymbol();
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

static void forEachPointerIn(ProgramStateRef State, const TypedValueRegion *Place, SVal Value,
                             unsigned Depth,
                             llvm::function_ref<void(const TypedValueRegion *, SVal)> Visit) {
  if (Value.getAs<Loc>()) {
    Visit(Place, Value);
    return;
  }
  const RecordDecl *Record = Place->getValueType()->getAsRecordDecl();
  if (Record == nullptr || Record->getDefinition() == nullptr || Record->isUnion() || Depth > 4)
    return;
  StoreManager &Stores = State->getStateManager().getStoreManager();
  auto Lazy = Value.getAs<nonloc::LazyCompoundVal>();
  auto List = Value.getAs<nonloc::CompoundVal>();
  if (!Lazy && !List)
    return;
  nonloc::CompoundVal::iterator At = List ? List->begin() : nonloc::CompoundVal::iterator();
  for (const FieldDecl *Field : Record->getDefinition()->fields()) {
    if (Field->isBitField() && !Field->getDeclName())
      continue;
    SVal Part = UnknownVal();
    if (List) {
      if (At == List->end())
        return;
      Part = *At;
      ++At;
    } else {
      const FieldRegion *From = Stores.getRegionManager().getFieldRegion(Field, Lazy->getRegion());
      Part = Stores.getBinding(Lazy->getStore(), loc::MemRegionVal(From), Field->getType());
    }
    forEachPointerIn(State, Stores.getRegionManager().getFieldRegion(Field, Place), Part, Depth + 1,
                     Visit);
  }
}

void forEachPointer(ProgramStateRef State, const TypedValueRegion *Place, SVal Value,
                    llvm::function_ref<void(const TypedValueRegion *, SVal)> Visit) {
  forEachPointerIn(State, Place, Value, 0, Visit);
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
