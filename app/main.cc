// The program: what stands on the command line is carried out.
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "app/command_line.h"
#include "app/demo.h"
#include "app/run.h"

namespace vesta::app {
namespace {

struct Carry {
  int operator()(const RunOptions& options) const { return RunHub(options); }
  int operator()(const DemoOptions& options) const { return RunDemo(options); }
  int operator()(const CheckOptions& options) const { return RunCheck(options); }
  int operator()(const DecodeOptions& options) const { return RunDecode(options); }
  int operator()(const CaptureOptions& options) const { return RunCapture(options); }
  int operator()(const ReplayOptions& options) const { return RunReplay(options); }
  int operator()(const SimulateOptions& options) const { return RunSimulate(options); }
  int operator()(const DoctorOptions& options) const { return RunDoctor(options); }
  int operator()(const PasswdOptions& options) const { return RunPasswd(options); }
  int operator()(const KeysOptions& options) const { return RunKeys(options); }
  int operator()(const ExportOptions& options) const { return RunExport(options); }
  int operator()(const ImportOptions& options) const { return RunImport(options); }
  int operator()(const AuditOptions& options) const { return RunAudit(options); }
  int operator()(const TraceOptions& options) const { return RunTrace(options); }
  int operator()(const GapsOptions& options) const { return RunGaps(options); }
  int operator()(const NodesOptions& options) const { return RunNodes(options); }
  int operator()(const RedecodeOptions& options) const { return RunRedecode(options); }
  int operator()(const StoreOptions& options) const { return RunStore(options); }
};

}  // namespace
}  // namespace vesta::app

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const vesta::app::ParsedCommandLine line = vesta::app::ParseCommandLine(arguments);
  std::fputs(line.out.c_str(), stdout);
  std::fputs(line.error.c_str(), stderr);
  return line.run ? std::visit(vesta::app::Carry(), line.command) : line.exit_code;
}
