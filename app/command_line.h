// What stands on the command line, as plain structs, and the help that teaches it.
//
// The only file that knows the command-line library (its templates are slow to compile). Parsing has no effects: what
// is to be printed comes back as text, so that main and the tests treat it alike.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "app/capture.h"
#include "app/check.h"
#include "app/decode.h"
#include "app/doctor.h"
#include "app/export.h"
#include "app/import.h"
#include "app/keys.h"
#include "app/nodes_command.h"
#include "app/passwd.h"
#include "app/redecode.h"
#include "app/replay.h"
#include "app/simulate.h"
#include "app/store.h"
#include "app/ward_commands.h"

namespace vesta::app {

// vesta run: the hub.
struct RunOptions {
  std::string config = "/etc/vesta/vesta.json";
  bool strict = false;    // any problem in the configuration stops the start
  std::string directory;  // "" = as configured
  std::string http;       // ADDRESS:PORT; "" = as configured
};

// vesta demo: the hub on simulated meters, without root, network or configuration.
struct DemoOptions {
  std::string http = "127.0.0.1:8600";
  std::string directory;  // "" = a fresh one under the temporary folder, gone at the end
  double speed = 1;       // simulated seconds a second
};

using Command = std::variant<RunOptions, DemoOptions, CheckOptions, DecodeOptions, CaptureOptions, ReplayOptions,
                             SimulateOptions, DoctorOptions, PasswdOptions, KeysOptions, ExportOptions, ImportOptions,
                             AuditOptions, TraceOptions, GapsOptions, NodesOptions, StoreOptions, RedecodeOptions>;

struct ParsedCommandLine {
  bool run = false;  // `command` is to be run; else print the texts and end
  Command command;
  int exit_code = 0;
  std::string out;    // help and version
  std::string error;  // what is wrong with the line
};

// Arguments without the program's name.
ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace vesta::app
