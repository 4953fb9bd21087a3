//===- finding.cpp - findings as JSON --------------------------------------===//
#include "finding.h"

using namespace llvm;

namespace cede {

static json::Value toJSON(const Place &P) {
  return json::Object{
      {"file", P.File}, {"line", P.Line}, {"column", P.Column}, {"end", P.EndColumn}};
}

static bool fromJSON(const json::Value &V, Place &P, json::Path Path) {
  json::ObjectMapper O(V, Path);
  int64_t Line = 0, Column = 0, End = 0;
  bool Ok = O && O.map("file", P.File) && O.map("line", Line) && O.map("column", Column) &&
            O.map("end", End);
  P.Line = unsigned(Line), P.Column = unsigned(Column), P.EndColumn = unsigned(End);
  return Ok;
}

static json::Value toJSON(const Step &S) {
  return json::Object{{"at", toJSON(S.At)}, {"text", S.Text}};
}

static bool fromJSON(const json::Value &V, Step &S, json::Path Path) {
  json::ObjectMapper O(V, Path);
  return O && O.map("at", S.At) && O.map("text", S.Text);
}

static json::Value toJSON(const Edit &E) {
  return json::Object{
      {"at", toJSON(E.At)}, {"offset", E.Offset}, {"length", E.Length}, {"text", E.Text}};
}

static bool fromJSON(const json::Value &V, Edit &E, json::Path Path) {
  json::ObjectMapper O(V, Path);
  int64_t Offset = 0, Length = 0;
  bool Ok = O && O.map("at", E.At) && O.map("offset", Offset) && O.map("length", Length) &&
            O.map("text", E.Text);
  E.Offset = unsigned(Offset), E.Length = unsigned(Length);
  return Ok;
}

static json::Value toJSON(const CheckFinding &F) {
  json::Array Path, Fixes;
  for (const Step &S : F.Path)
    Path.push_back(toJSON(S));
  for (const Edit &E : F.Fixes)
    Fixes.push_back(toJSON(E));
  return json::Object{{"rule", F.Rule},          {"at", toJSON(F.At)},       {"fact", F.Fact},
                      {"repair", F.Repair},      {"function", F.Function},   {"isPath", F.IsPath},
                      {"path", std::move(Path)}, {"fixes", std::move(Fixes)}};
}

static bool fromJSON(const json::Value &V, CheckFinding &F, json::Path Path) {
  json::ObjectMapper O(V, Path);
  return O && O.map("rule", F.Rule) && O.map("at", F.At) && O.map("fact", F.Fact) &&
         O.map("repair", F.Repair) && O.map("function", F.Function) && O.map("isPath", F.IsPath) &&
         O.map("path", F.Path) && O.map("fixes", F.Fixes);
}

json::Value toJSON(const UnitResult &R) {
  json::Array Findings;
  for (const CheckFinding &F : R.Findings)
    Findings.push_back(toJSON(F));
  return json::Object{{"error", R.Error},
                      {"findings", std::move(Findings)},
                      {"unfinished", json::Array(R.Unfinished)},
                      {"files", json::Array(R.Files)},
                      {"asserted", json::Array(R.Asserted)}};
}

bool fromJSON(const json::Value &V, UnitResult &R, json::Path Path) {
  json::ObjectMapper O(V, Path);
  return O && O.map("error", R.Error) && O.map("findings", R.Findings) &&
         O.map("unfinished", R.Unfinished) && O.map("files", R.Files) &&
         O.map("asserted", R.Asserted);
}

} // namespace cede
