//===- text.cpp - findings for people ---------------------------------------===//
#include "output.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace cede {

std::string shownPath(const std::string &File) {
  SmallString<256> Here;
  if (sys::fs::current_path(Here))
    return File;
  std::string Prefix = std::string(Here) + "/";
  return File.compare(0, Prefix.size(), Prefix) == 0 ? File.substr(Prefix.size()) : File;
}

static void printPlace(const Place &P, raw_ostream &OS) {
  OS << shownPath(P.File) << ":" << P.Line << ":" << P.Column << ": ";
}

/// The source line with a mark under the column.
static void printLine(const Place &P, Sources &Files, raw_ostream &OS) {
  std::string Line = Files.line(P.File, P.Line);
  if (Line.empty())
    return;
  std::string Number = std::to_string(P.Line);
  std::string Margin(Number.size() < 5 ? 5 - Number.size() : 0, ' ');
  OS << Margin << Number << " | " << Line << "\n      | ";
  auto Continues = [](char C) { return (static_cast<unsigned char>(C) & 0xC0) == 0x80; };
  for (unsigned I = 1; I < P.Column && I <= Line.size(); ++I)
    if (!Continues(Line[I - 1]))
      OS << (Line[I - 1] == '\t' ? '\t' : ' ');
  OS << "^";
  for (unsigned I = P.Column + 1; I < P.EndColumn; ++I)
    OS << "~";
  OS << "\n";
}

void printText(const CheckFinding &F, Sources &Files, raw_ostream &OS) {
  bool Colour = OS.has_colors() && OS.is_displayed();
  if (Colour)
    OS.changeColor(raw_ostream::SAVEDCOLOR, true);
  printPlace(F.At, OS);
  if (Colour)
    OS.changeColor(raw_ostream::MAGENTA, true);
  OS << "warning: ";
  if (Colour)
    OS.resetColor();
  OS << F.Fact << " [" << F.Rule << "]\n";
  printLine(F.At, Files, OS);
  for (const Step &S : F.Path) {
    printPlace(S.At, OS);
    OS << "note: " << S.Text << "\n";
  }
  if (!F.Repair.empty()) {
    printPlace(F.At, OS);
    OS << "note: repair: " << F.Repair << "\n";
  }
}

} // namespace cede
