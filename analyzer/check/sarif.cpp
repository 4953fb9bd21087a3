//===- sarif.cpp - findings as SARIF 2.1.0 -----------------------------------===//
//
// Paths are relative to the root (uriBaseId ROOT). A fingerprint names the rule, the file, the
// function, the text of the line and its count among equal ones, so that it outlives edits
// elsewhere in the file.
//
//===----------------------------------------------------------------------===//
#include "output.h"

#include "../lint/rules.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MD5.h"
#include <set>

using namespace llvm;

namespace cede {

namespace {

/// A path as a URI: everything that is not plain is percent-encoded.
std::string uriOf(StringRef Path) {
  static const char Hex[] = "0123456789ABCDEF";
  std::string Out;
  for (char C : Path) {
    auto Byte = static_cast<unsigned char>(C);
    bool Plain = isalnum(Byte) || StringRef("/-._~").find(C) != StringRef::npos;
    if (Plain)
      Out += C;
    else
      Out += {'%', Hex[Byte >> 4], Hex[Byte & 15]};
  }
  return Out;
}

/// The URI of a file, relative to \p Root if it lies below it.
std::string uriBelow(const std::string &Root, const std::string &File, bool &IsBelow) {
  std::string Prefix = Root + "/";
  IsBelow = File.compare(0, Prefix.size(), Prefix) == 0;
  return IsBelow ? uriOf(StringRef(File).drop_front(Prefix.size())) : "file://" + uriOf(File);
}

class SarifWriter {
public:
  SarifWriter(const SarifRun &Run, Sources &Files) : Run(Run), Files(Files) {}

  json::Value write(const std::vector<CheckFinding> &Findings) {
    json::Array Results;
    for (const CheckFinding &F : Findings)
      Results.push_back(result(F));
    json::Object Driver{{"name", "cede-check"}, {"version", Version}, {"rules", rules()}};
    json::Object Whole{
        {"tool", json::Object{{"driver", std::move(Driver)}}},
        {"columnKind", "utf16CodeUnits"},
        {"originalUriBaseIds",
         json::Object{{"ROOT", json::Object{{"uri", "file://" + uriOf(Run.Root) + "/"}}}}},
        {"invocations", json::Array{invocation()}},
        {"results", std::move(Results)}};
    return json::Object{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                        {"version", "2.1.0"},
                        {"runs", json::Array{std::move(Whole)}}};
  }

private:
  json::Value invocation() {
    json::Array Notes;
    for (const std::string &Text : Run.Errors)
      Notes.push_back(json::Object{{"level", "error"}, {"message", json::Object{{"text", Text}}}});
    for (const std::string &Text : Run.Notes)
      Notes.push_back(json::Object{{"level", "note"}, {"message", json::Object{{"text", Text}}}});
    return json::Object{{"executionSuccessful", Run.Errors.empty()},
                        {"toolExecutionNotifications", std::move(Notes)}};
  }

  json::Array rules() {
    json::Array Out;
    auto Add = [&Out](StringRef Name, StringRef Summary, StringRef Repair) {
      json::Object Help{{"text", (Summary + ". " + Repair + ".").str()}};
      if (!rulePage(Name).empty())
        Help["markdown"] = rulePage(Name);
      Out.push_back(json::Object{
          {"id", Name},
          {"shortDescription", json::Object{{"text", Summary}}},
          {"fullDescription", json::Object{{"text", (Summary + ". " + Repair + ".").str()}}},
          {"help", std::move(Help)},
          {"defaultConfiguration", json::Object{{"level", "warning"}}}});
    };
    for (unsigned I = 0; I < RuleCount; ++I)
      Add(Rules[I].Name, Rules[I].Summary, Rules[I].Repair);
    Add("allow-comment", "a comment that allows a finding gives no reason, or names no rule",
        "write a reason behind allow(rule)");
    return Out;
  }

  int ruleIndex(StringRef Name) {
    for (unsigned I = 0; I < RuleCount; ++I)
      if (Name == Rules[I].Name)
        return int(I);
    return int(RuleCount);
  }

  json::Object artifact(const std::string &File) {
    bool IsBelow = false;
    std::string Uri = uriBelow(Run.Root, File, IsBelow);
    json::Object Out{{"uri", Uri}};
    if (IsBelow)
      Out["uriBaseId"] = "ROOT";
    return Out;
  }

  /// A column in UTF-16 code units, from one in bytes.
  unsigned utf16Column(const Place &P, unsigned Column) {
    std::string Line = Files.line(P.File, P.Line);
    unsigned Units = 1;
    for (unsigned At = 1; At < Column; ++At) {
      auto Byte = static_cast<unsigned char>(At <= Line.size() ? Line[At - 1] : ' ');
      bool Continues = (Byte & 0xC0) == 0x80;
      Units += Continues ? 0 : Byte >= 0xF0 ? 2 : 1;
    }
    return Units;
  }

  json::Object physical(const Place &P) {
    json::Object Region{{"startLine", P.Line}, {"startColumn", utf16Column(P, P.Column)}};
    if (P.EndColumn > P.Column)
      Region["endColumn"] = utf16Column(P, P.EndColumn);
    return json::Object{{"artifactLocation", artifact(P.File)}, {"region", std::move(Region)}};
  }

  json::Object location(const Place &P, StringRef Text) {
    json::Object Out{{"physicalLocation", physical(P)}};
    if (!Text.empty())
      Out["message"] = json::Object{{"text", Text}};
    return Out;
  }

  json::Value result(const CheckFinding &F) {
    json::Object Message{
        {"text", F.Fact + "." + (F.Repair.empty() ? "" : " Repair: " + F.Repair + ".")}};
    json::Object Out{{"ruleId", F.Rule},
                     {"ruleIndex", ruleIndex(F.Rule)},
                     {"level", "warning"},
                     {"message", std::move(Message)},
                     {"locations", json::Array{location(F.At, "")}},
                     {"partialFingerprints", json::Object{{FingerprintName, F.Fingerprint}}}};
    if (F.IsPath) {
      json::Array Steps;
      for (const Step &S : F.Path)
        Steps.push_back(json::Object{{"location", location(S.At, S.Text)}});
      Steps.push_back(json::Object{{"location", location(F.At, F.Fact)}});
      Out["codeFlows"] = json::Array{json::Object{
          {"threadFlows", json::Array{json::Object{{"locations", std::move(Steps)}}}}}};
    } else if (!F.Path.empty()) {
      json::Array Related;
      for (const Step &S : F.Path)
        Related.push_back(location(S.At, S.Text));
      Out["relatedLocations"] = std::move(Related);
    }
    if (!F.Fixes.empty())
      Out["fixes"] = json::Array{fix(F)};
    return Out;
  }

  json::Value fix(const CheckFinding &F) {
    json::Array Changes;
    for (const Edit &E : F.Fixes) {
      json::Object Deleted{{"startLine", E.At.Line},
                           {"startColumn", utf16Column(E.At, E.At.Column)},
                           {"endLine", E.At.Line},
                           {"endColumn", utf16Column(E.At, E.At.Column + E.Length)}};
      json::Object Replacement{{"deletedRegion", std::move(Deleted)},
                               {"insertedContent", json::Object{{"text", E.Text}}}};
      Changes.push_back(json::Object{{"artifactLocation", artifact(E.At.File)},
                                     {"replacements", json::Array{std::move(Replacement)}}});
    }
    return json::Object{{"description", json::Object{{"text", F.Repair}}},
                        {"artifactChanges", std::move(Changes)}};
  }

  const SarifRun &Run;
  Sources &Files;
};

} // namespace

void addFingerprints(std::vector<CheckFinding> &Findings, const std::string &Root, Sources &Files) {
  std::map<std::string, unsigned> Counts;
  for (CheckFinding &F : Findings) {
    bool IsBelow = false;
    std::string Key = F.Rule + "\n" + F.Function + "\n" +
                      StringRef(Files.line(F.At.File, F.At.Line)).trim().str() + "\n" +
                      uriBelow(Root, F.At.File, IsBelow);
    Key += "\n" + std::to_string(Counts[Key]++);
    MD5 Hash;
    Hash.update(Key);
    MD5::MD5Result Result;
    Hash.final(Result);
    F.Fingerprint = std::string(Result.digest());
  }
}

bool writeSarif(const std::string &Path, const std::vector<CheckFinding> &Findings,
                const SarifRun &Run, Sources &Files, std::string &Error) {
  std::error_code Code;
  raw_fd_ostream OS(Path, Code);
  if (Code) {
    Error = "cannot write " + Path + ": " + Code.message();
    return false;
  }
  OS << formatv("{0:2}", SarifWriter(Run, Files).write(Findings)) << "\n";
  OS.close();
  if (OS.has_error()) {
    Error = "cannot write " + Path + ": " + OS.error().message();
    OS.clear_error();
    return false;
  }
  return true;
}

} // namespace cede
