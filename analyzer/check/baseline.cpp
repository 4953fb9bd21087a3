//===- baseline.cpp - findings that were there before -------------------------===//
//
// A SARIF log of an earlier run is a baseline: what it has does not count any more. Findings are
// known by their fingerprints, which outlive edits elsewhere in the file.
//
//===----------------------------------------------------------------------===//
#include "output.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace cede {

const char FingerprintName[] = "cede/v1";

static void addPrints(const json::Object &Run, StringSet<> &Out) {
  const json::Array *Results = Run.getArray("results");
  if (Results == nullptr)
    return;
  for (const json::Value &Result : *Results) {
    const json::Object *Object = Result.getAsObject();
    const json::Object *Prints =
        Object != nullptr ? Object->getObject("partialFingerprints") : nullptr;
    if (Prints != nullptr)
      if (auto Print = Prints->getString(FingerprintName))
        Out.insert(*Print);
  }
}

bool readBaseline(const std::string &Path, StringSet<> &Out, std::string &Error) {
  auto Buffer = MemoryBuffer::getFile(Path);
  if (!Buffer) {
    Error = "cannot read the baseline " + Path + ": " + Buffer.getError().message();
    return false;
  }
  Expected<json::Value> Parsed = json::parse((*Buffer)->getBuffer());
  const json::Object *Log = Parsed ? Parsed->getAsObject() : nullptr;
  const json::Array *Runs = Log != nullptr ? Log->getArray("runs") : nullptr;
  if (Runs == nullptr) {
    Error = "the baseline " + Path + " is not a SARIF log; cede-check --sarif FILE writes one";
    if (!Parsed)
      Error += ": " + toString(Parsed.takeError());
    return false;
  }
  for (const json::Value &Run : *Runs)
    if (const json::Object *Object = Run.getAsObject())
      addPrints(*Object, Out);
  return true;
}

} // namespace cede
