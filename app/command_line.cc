#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/exit_code.h"
#include "simulators/incubator.h"
#include "simulators/masterbus_bus.h"
#include "simulators/p1_faults.h"
#include "simulators/p1_meter.h"
#include "simulators/vedirect_device.h"
#include "vesta_version.h"

namespace vesta::app {
namespace {

constexpr char kExitCodes[] = "Exit codes: 0 ok, 1 problems found or work failed, 2 wrong usage, 3 cannot start.";

CLI::App* AddCommand(CLI::App& app, const char* name, const char* description, const std::string& footer) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("\n" + footer + "\n\n" + kExitCodes);
  return command;
}

void AddRun(CLI::App& app, RunOptions* options) {
  CLI::App* run = AddCommand(app, "run", "Run the hub: hear the configured sources, keep, show and hand on readings",
                             "A configuration with a wrong part starts what is right and says what is off.\n"
                             "  vesta run --config /etc/vesta/vesta.json\n"
                             "  vesta run --config my.json --data ~/vesta-data --http 127.0.0.1:8600");
  run->add_option("--config", options->config, "Configuration file")->capture_default_str();
  run->add_flag("--strict", options->strict, "Refuse to start when anything in the configuration is wrong");
  run->add_option("--data", options->directory, "Folder of journal and history, instead of the configured one");
  run->add_option("--http", options->http, "ADDRESS:PORT of page and API, instead of the configured one");
}

void AddDemo(CLI::App& app, DemoOptions* options) {
  CLI::App* demo = AddCommand(app, "demo", "Run the hub on simulated devices: no root, no network, no configuration",
                              "  vesta demo\n"
                              "  vesta demo --http 127.0.0.1:8700 --data ~/vesta-demo --speed 10");
  demo->add_option("--http", options->http, "ADDRESS:PORT of page and API")->capture_default_str();
  demo->add_option("--data", options->directory, "Folder to keep the history in; without it nothing is kept");
  demo->add_option("--speed", options->speed, "Simulated seconds a second")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

void AddCheck(CLI::App& app, CheckOptions* options) {
  CLI::App* check = AddCommand(app, "check", "Check a configuration file: each problem with line, column and remedy",
                               "  vesta check /etc/vesta/vesta.json\n"
                               "  vesta check my.json --json | jq .problems");
  check->add_option("FILE", options->file, "Configuration file")->capture_default_str();
  check->add_flag("--json", options->json, "Print one JSON object");
  check->add_flag("--strict", options->strict, "Warnings count as problems");
}

void AddP1Options(CLI::App* command, P1CommandOptions* p1) {
  const std::string group = "P1";
  command->add_option("--zone", p1->zone, "Time zone that the meter stands in")->capture_default_str()->group(group);
  command->add_option("--tariff-rule", p1->tariff_rule, "What tariff 1 means: nl = low, be = normal")
      ->check(CLI::IsMember({"nl", "be"}))
      ->capture_default_str()
      ->group(group);
  command->add_option("--offset-rule", p1->offset_rule, "What tells summer time: the stamp's letter or the calendar")
      ->check(CLI::IsMember({"letter", "calendar"}))
      ->capture_default_str()
      ->group(group);
  command->add_option("--crc", p1->crc, "Checksum of the telegrams")
      ->check(CLI::IsMember({"arc", "x25", "ignore"}))
      ->capture_default_str()
      ->group(group);
  command->add_option("--repair", p1->repairs, "Mend: missing-crc, bit7, line-ends, end-mark (may be repeated)")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"missing-crc", "bit7", "line-ends", "end-mark"}))
      ->group(group);
  CLI::Option* key = command->add_option("--key", p1->key,
                                         "Key of encrypted frames, 32 hex digits (others can see "
                                         "the command line; better use --key-file)");
  CLI::Option* key_file = command->add_option("--key-file", p1->key_file, "File that holds the key");
  CLI::Option* key_env = command->add_option("--key-env", p1->key_env, "Environment variable that holds the key");
  key->group(group)->excludes(key_file)->excludes(key_env);
  key_file->group(group)->excludes(key_env);
  key_env->group(group);
  CLI::Option* auth = command->add_option("--auth-key", p1->authentication_key,
                                          "Authentication key, 32 hex digits; the Luxembourg one is known");
  CLI::Option* auth_file = command->add_option("--auth-key-file", p1->authentication_key_file, "File that holds it");
  CLI::Option* auth_env =
      command->add_option("--auth-key-env", p1->authentication_key_env, "Environment variable that holds it");
  auth->group(group)->excludes(auth_file)->excludes(auth_env);
  auth_file->group(group)->excludes(auth_env);
  auth_env->group(group);
  command->add_flag("--ignore-tag", p1->ignore_tag, "Accept frames whose tag is wrong when the telegram's CRC is right")
      ->group(group);
}

void AddDecode(CLI::App& app, DecodeOptions* options) {
  CLI::App* decode = AddCommand(
      app, "decode", "Decode bytes: print their readings, and why anything was not believed",
      "The input is a raw stream, hex digits (blanks and line ends between them are fine) or the JSON lines\n"
      "of `vesta capture`; which of them is found out by itself.\n"
      "  vesta decode < telegram.txt\n"
      "  echo '2F 49 53 4B 35 ...' | vesta decode\n"
      "  vesta decode --json --key-file meter.key capture.jsonl\n"
      "  vesta simulate p1 --stdout | vesta decode");
  decode->add_option("FILE", options->file, "What to decode; - is standard input")->capture_default_str();
  decode->add_option("--protocol", options->protocol, "How to understand the bytes")
      ->check(CLI::IsMember({"p1", "vedirect", "medibus", "masterbus"}))
      ->capture_default_str();
  decode->add_option("--input", options->input, "Form of the input")
      ->check(CLI::IsMember({"auto", "raw", "hex", "capture"}))
      ->capture_default_str();
  decode->add_flag("--json", options->json, "Print JSON lines: a line for each device and frame");
  AddP1Options(decode, &options->p1);
}

void AddCapture(CLI::App& app, CaptureOptions* options) {
  CLI::App* capture =
      AddCommand(app, "capture", "Write what arrives on a port to a file, frame by frame, to replay or decode it later",
                 "The file holds everything the meter says, your consumption included.\n"
                 "  vesta capture --source serial:/dev/ttyUSB0 --out p1.jsonl --seconds 60\n"
                 "  vesta capture --source tcp:192.168.1.20:23 --frames 10 | vesta decode\n"
                 "  vesta capture --source can:can0 --out bus.log   (a candump log, by its ending)");
  capture->add_option("--source", options->source, "serial:PATH, tcp:HOST:PORT, slcan:PATH or can:INTERFACE")
      ->required();
  capture->add_option("--out", options->out, "Capture file; - is standard output")->capture_default_str();
  capture->add_option("--protocol", options->protocol, "How to tell frames apart")
      ->check(CLI::IsMember({"p1", "vedirect", "medibus", "masterbus"}))
      ->capture_default_str();
  capture->add_option("--baud", options->baud, "Speed of a serial port; without it the protocol's own");
  capture->add_option("--framing", options->framing, "Bits of a serial port; without it the protocol's own")
      ->check(CLI::IsMember({"8N1", "7E1", "8E1", "8O1", "7N1"}));
  capture->add_option("--seconds", options->seconds, "Stop after so long; 0 = not")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  capture->add_option("--frames", options->frames, "Stop after so many frames; 0 = not")->capture_default_str();
  capture->add_option("--max-mb", options->megabytes_max, "Stop when the file has grown by so much")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
}

void AddReplay(CLI::App& app, ReplayOptions* options) {
  CLI::App* replay = AddCommand(app, "replay", "Send the frames of a capture file to a port, as they once came",
                                "  vesta replay p1.jsonl --to pty:/tmp/p1\n"
                                "  vesta replay p1.jsonl --to tcp:2323 --speed 10");
  replay->add_option("FILE", options->file, "Capture file")->required();
  replay->add_option("--to", options->to, "pty:PATH, tcp:PORT (on loopback) or tcp:ADDRESS:PORT")->required();
  replay->add_option("--speed", options->speed, "Times as fast; 0 = as fast as the reader takes it")
      ->check(CLI::Range(0.0, 100000.0))
      ->capture_default_str();
  replay->add_flag("--repeat", options->repeat, "Start again at the end");
}

void AddSimulate(CLI::App& app, SimulateOptions* options) {
  std::vector<std::string> kinds;
  for (size_t i = 0; i < static_cast<size_t>(simulators::P1Kind::kCountOfKinds); ++i) {
    kinds.emplace_back(simulators::InfoOf(static_cast<simulators::P1Kind>(i)).name);
  }
  for (size_t i = 0; i < static_cast<size_t>(simulators::VedirectKind::kCountOfKinds); ++i) {
    kinds.emplace_back(simulators::InfoOf(static_cast<simulators::VedirectKind>(i)).name);
  }
  for (size_t i = 0; i < static_cast<size_t>(simulators::IncubatorKind::kCountOfKinds); ++i) {
    kinds.emplace_back(simulators::InfoOf(static_cast<simulators::IncubatorKind>(i)).name);
  }
  CLI::App* simulate =
      AddCommand(app, "simulate", "Simulate a device on a terminal, a TCP port or (a meter) standard output",
                 "  vesta simulate p1 --list\n"
                 "  vesta simulate p1 --kind belgian --pty /tmp/p1\n"
                 "  vesta simulate p1 --kind dsmr5-three-phase --tcp 127.0.0.1:2323 --speed 60\n"
                 "  vesta simulate p1 --kind dsmr4 --stdout --count 3 --start 2025-03-30T00:59:40Z\n"
                 "  vesta simulate p1 --pty /tmp/p1 --fault noise:20 --fault silence:300\n"
                 "  vesta simulate vedirect --kind battery-monitor --pty /tmp/bmv\n"
                 "  vesta simulate incubator --kind isolette --pty /tmp/bed3 --fault restart:600\n"
                 "  vesta simulate masterbus --pty /tmp/slcan --fault babble:100\n"
                 "  vesta simulate masterbus --udp 127.0.0.1:29536\n"
                 "  vesta simulate victron --udp 127.0.0.1:7788");
  simulate->add_option("PROTOCOL", options->protocol, "What the device speaks; incubator: MEDIBUS")
      ->check(CLI::IsMember({"p1", "vedirect", "incubator", "masterbus", "victron"}))
      ->capture_default_str();
  simulate->add_option("--kind", options->kind, "Kind of device; --list tells them, the first one is taken without it")
      ->check(CLI::IsMember(kinds));
  CLI::Option* pty = simulate->add_option("--pty", options->pty, "Make a terminal and a link to it at this path");
  CLI::Option* tcp = simulate->add_option("--tcp", options->tcp, "Serve on ADDRESS:PORT");
  CLI::Option* udp = simulate->add_option("--udp", options->udp, "Send to ADDRESS:PORT by UDP (masterbus, victron)");
  CLI::Option* out = simulate->add_flag("--stdout", options->to_stdout,
                                        "Print --count telegrams (1) at once; of a bus its frames as a candump log");
  pty->excludes(tcp)->excludes(out)->excludes(udp);
  tcp->excludes(out)->excludes(udp);
  udp->excludes(out);
  simulate->add_option("--speed", options->speed, "On a port: simulated seconds a second; 0 = as fast as it is read")
      ->check(CLI::Range(0.0, 100000.0))
      ->capture_default_str();
  simulate->add_option("--seed", options->seed, "Another number is another house and another meter")
      ->capture_default_str();
  simulate->add_option("--count", options->count, "End after so many telegrams; 0 = never")->capture_default_str();
  simulate->add_option("--start", options->start, "The meter's time at the start, such as 2025-03-30T00:59:40Z");
  simulate
      ->add_option("--fault", options->faults, "What goes wrong, NAME or NAME:N (may be repeated); --list tells them")
      ->allow_extra_args(false)
      ->check([](const std::string& text) {
        simulators::Fault fault;
        simulators::IncubatorFault incubator_fault;
        std::string error;
        // Which of the two holds is known when the whole line has been read.
        if (simulators::ParseIncubatorFault(text, &incubator_fault, &error)) return std::string();
        simulators::BusFaultSetting bus_fault;
        if (simulators::ParseBusFault(text, &bus_fault, &error)) return std::string();
        return simulators::ParseFault(text, &fault, &error) ? std::string() : error;
      });
  simulate->add_flag("--list", options->list, "Tell the kinds of devices and the faults");
}

void AddDoctor(CLI::App& app, DoctorOptions* options) {
  CLI::App* doctor =
      AddCommand(app, "doctor", "Look at the serial ports and at Bluetooth: what is there, and what is heard",
                 "Listens with each setting that a port of the protocol can have, and sends nothing. Stop the hub "
                 "first: it holds\n"
                 "its ports for itself.\n"
                 "  vesta doctor\n"
                 "  vesta doctor --port /dev/ttyUSB0 --json\n"
                 "  vesta doctor --port /dev/ttyUSB0 --protocol medibus\n"
                 "  vesta doctor --bluetooth\n"
                 "  vesta doctor --config /etc/vesta/vesta.json");
  doctor->add_option("--port", options->ports, "Look at this port only (may be repeated)")->allow_extra_args(false);
  doctor->add_option("--protocol", options->protocol, "What the devices on the serial ports speak")
      ->check(CLI::IsMember({"p1", "vedirect", "medibus"}))
      ->capture_default_str();
  doctor->add_flag("--bluetooth", options->bluetooth,
                   "Look at Bluetooth: adapters, who is heard, how strong, how often");
  doctor->add_option("--config", options->config, "Look at the sources of this configuration, too");
  doctor->add_option("--seconds", options->seconds, "How long to listen with each setting")
      ->check(CLI::Range(0.1, 120.0))
      ->capture_default_str();
  doctor->add_flag("--json", options->json, "Print one JSON object");
}

void AddPasswd(CLI::App& app, PasswdOptions* options) {
  CLI::App* passwd =
      AddCommand(app, "passwd", "Make the line of the configuration that sets the page's password, or a token",
                 "  vesta passwd\n"
                 "  vesta passwd --stdin < password.txt\n"
                 "  vesta passwd --token kitchen-display --scope read");
  passwd->add_flag("--stdin", options->from_stdin, "Take the first line of standard input, do not ask");
  CLI::Option* token = passwd->add_option("--token", options->token, "Make a token of this name for a program");
  passwd->add_option("--scope", options->scope, "What the token allows")
      ->check(CLI::IsMember({"read", "operate"}))
      ->capture_default_str()
      ->needs(token);
  passwd->add_flag("--json", options->json, "Print one JSON object");
}

void AddKeys(CLI::App& app, KeysOptions* options) {
  CLI::App* keys = AddCommand(app, "keys", "Give the hub keys of devices, try them, take them over from VictronConnect",
                              "Asks the running hub; a token, where it wants one, is taken from VESTA_TOKEN. Without "
                              "KEY the key is asked for,\n"
                              "so that it stands on no command line.\n"
                              "  vesta keys list\n"
                              "  vesta keys add c0:ff:ee:11:22:33 --name Roof\n"
                              "  vesta keys add network-a1b2\n"
                              "  vesta keys check --device c0:ff:ee:11:22:33\n"
                              "  vesta keys check --capture adverts.jsonl\n"
                              "  vesta keys remove c0:ff:ee:11:22:33\n"
                              "  vesta keys import VictronConnect.sqlite");
  keys->add_option("ACTION", options->action, "What to do")
      ->check(CLI::IsMember({"list", "add", "remove", "check", "import"}))
      ->required();
  keys->add_option("WHAT", options->what,
                   "add, remove: the device's address or network-ID; check: the key; import: a file");
  keys->add_option("KEY", options->key, "add: the key, 32 hex digits");
  keys->add_option("--name", options->name, "add: a name to know it by");
  keys->add_option("--device", options->device, "check: the device that the key is meant for");
  CLI::Option* capture = keys->add_option("--capture", options->capture, "check: try it on the adverts of a capture");
  CLI::Option* data =
      keys->add_option("--data", options->directory, "Work on the data folder of a hub that does not run");
  capture->excludes(data);
  keys->add_option("--hub", options->url, "Where the hub is")->capture_default_str()->excludes(data);
  keys->add_flag("--dry-run", options->dry_run, "import: only say what would be done");
  keys->add_flag("--json", options->json, "list, check: print one JSON object");
}

void AddExport(CLI::App& app, ExportOptions* options) {
  CLI::App* command =
      AddCommand(app, "export", "Write history to a file: CSV, JSON lines, FHIR R4, or the table of the NEONAT project",
                 "Reads beside a running hub. docs/exports.md has the formats and what a key hides.\n"
                 "  vesta export csv --data /var/lib/vesta --from 2026-01-01T00:00:00Z > january.csv\n"
                 "  vesta export csv-wide --device p1_m1 --field power_import --out power.csv\n"
                 "  vesta export fhir --key-file research.key --out ward.json\n"
                 "  vesta export neonat --out rea.db");
  command->add_option("FORMAT", options->format, "Form of the file")
      ->check(CLI::IsMember({"csv", "csv-wide", "jsonl", "fhir", "day-log", "neonat"}))
      ->capture_default_str();
  command->add_option("--data", options->directory, "Data folder of the hub")->capture_default_str();
  command->add_option("--out", options->out, "File to write; - is standard output")->capture_default_str();
  command->add_option("--from", options->from, "Readings from this time on, such as 2026-08-11T06:21:25Z");
  command->add_option("--to", options->to, "Readings before this time");
  command->add_option("--device", options->devices, "Only this device, by its key (may be repeated)")
      ->allow_extra_args(false);
  command->add_option("--field", options->fields, "Only this field (may be repeated)")->allow_extra_args(false);
  command->add_option("--key-file", options->key_file,
                      "Pseudonymous: names and dates hidden by this key, free text left out");
  command
      ->add_option("--stamp-offset-min", options->stamp_offset_min, "neonat: minutes that its times are ahead of UTC")
      ->check(CLI::Range(-840, 840))
      ->capture_default_str();
}

void AddRedecode(CLI::App& app, RedecodeOptions* options) {
  CLI::App* redecode = AddCommand(
      app, "redecode", "Decode again what was heard and not understood",
      "The running hub does so by itself when a key comes, and at its start when its decoders are others than "
      "before.\n"
      "Readings get the times at which they came; none comes twice.\n"
      "  vesta redecode\n"
      "  vesta redecode --source meter");
  redecode->add_option("--source", options->source, "Only this source");
  redecode->add_flag("!--no-wait", options->wait, "Do not wait for the end");
  redecode->add_option("--hub", options->url, "Where the hub is")->capture_default_str();
}

void AddNodes(CLI::App& app, NodesOptions* options) {
  CLI::App* nodes = AddCommand(
      app, "nodes", "Show a network of nodes, let nodes join, take over files of the original server",
      "list, open, export, put and update talk to the running hub; import makes a description out of Struct.json and\n"
      "peersList.js; import-log takes day files into the data folder of a hub that is stopped.\n"
      "  vesta nodes list\n"
      "  vesta nodes open --seconds 120\n"
      "  vesta nodes export > network.json\n"
      "  vesta nodes put network.json\n"
      "  vesta nodes import Struct.json peersList.js --into network.json\n"
      "  vesta nodes import-log 2026_03_01.JSN --network network.json --data /var/lib/vesta\n"
      "  vesta nodes new-key signing.pem\n"
      "  vesta nodes sign vesta-node --version 1.1.0 --key signing.pem --into node.vfw\n"
      "  vesta nodes update node.vfw");
  nodes->add_option("ACTION", options->action, "What to do")
      ->required()
      ->check(CLI::IsMember({"list", "open", "export", "put", "import", "import-log", "new-key", "sign", "update"}));
  nodes->add_option("FILE", options->files, "put, import, import-log, new-key, sign, update: which files");
  nodes->add_option("--into", options->into, "import: the description that is made or added to; sign: the package");
  nodes->add_option("--network", options->network, "import-log: the description that says what each device is");
  nodes->add_option("--data", options->directory, "import-log: data folder of the hub");
  nodes->add_option("--source", options->source, "Which source of nodes, when there are several");
  nodes->add_option("--seconds", options->seconds, "open: how long")->check(CLI::Range(0, 600))->capture_default_str();
  nodes->add_option("--hub", options->url, "Where the hub is")->capture_default_str();
  nodes->add_option("--key", options->key, "sign: file of the private key");
  nodes->add_option("--version", options->version, "sign: of the firmware, like 1.2.3");
  nodes->add_option("--hardware", options->hardware, "sign: linux, esp32, esp8266, any or a number")
      ->capture_default_str();
  nodes->add_option("--node", options->node, "update: id of the node; without it all that can");
  nodes->add_flag("--json", options->json, "list: print one JSON object");
}

void AddStore(CLI::App& app, StoreOptions* options) {
  CLI::App* store =
      AddCommand(app, "store", "Look at the history on disk, check, copy, compact and mend it",
                 "stats, check and backup work beside a running hub; compact and repair want it stopped.\n"
                 "docs/history.md tells what is kept and how; keep a copy of the folder before a repair.\n"
                 "  vesta store stats\n"
                 "  vesta store check --data /var/lib/vesta\n"
                 "  vesta store backup --to /mnt/usb/vesta-2026-08-11\n"
                 "  vesta store compact\n"
                 "  vesta store repair\n"
                 "  vesta store copy /var/lib/vesta postgresql://vesta@db.lan/home --hub home\n"
                 "  vesta store copy postgresql://vesta@db.lan/home /mnt/usb/vesta --hub home");
  store->add_option("ACTION", options->action, "What to do")
      ->check(CLI::IsMember({"stats", "check", "backup", "compact", "repair", "copy"}))
      ->required();
  store->add_option("--data", options->directory, "Data folder of the hub")->capture_default_str();
  store->add_option("--to", options->to, "backup: the folder to copy to; made when it is missing");
  store->add_flag("--json", options->json, "stats, check: print one JSON object");
  store->add_option("FROM", options->from, "copy: a data folder or a postgresql:// URL");
  store->add_option("TO", options->copy_to, "copy: the other of the two");
  store->add_option("--hub", options->hub_id, "copy: id of the hub, whose schema in the database it is")
      ->capture_default_str();
  store->add_option("--zone", options->zone, "copy: time zone of the site, for the roll-ups of days")
      ->capture_default_str();
  store->add_option("--password-file", options->password_file,
                    "copy: file with the password at the database; else PGPASSWORD or ~/.pgpass");
}

void AddImport(CLI::App& app, ImportOptions* options) {
  CLI::App* command =
      AddCommand(app, "import", "Take history of elsewhere into the data folder of a hub that is stopped",
                 "What is there already is not taken again, so an import that was cut off may be repeated.\n"
                 "Rows that can't be right are named; the exit code is 1 then. csv and jsonl are what `vesta export`\n"
                 "writes; jsonl may be taken into an empty folder.\n"
                 "  vesta import neonat rea_V3.db --data /var/lib/vesta\n"
                 "  vesta import jsonl january.jsonl --data /var/lib/vesta");
  command->add_option("FORMAT", options->format, "Form of the file")
      ->required()
      ->check(CLI::IsMember({"neonat", "csv", "jsonl"}));
  command->add_option("FILE", options->file, "What to import")->required();
  command->add_option("--data", options->directory, "Data folder of the hub")->capture_default_str();
  command
      ->add_option("--source", options->source,
                   "neonat: part of the devices' keys; the name of an mqtt source joins them to its devices")
      ->capture_default_str();
  command
      ->add_option("--stamp-offset-min", options->stamp_offset_min, "neonat: minutes that its times are ahead of UTC")
      ->check(CLI::Range(-840, 840))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON object");
}

void AddAudit(CLI::App& app, AuditOptions* options) {
  CLI::App* audit =
      AddCommand(app, "audit", "Tell whether the audit log is whole, or show it",
                 "verify names the first entry that was changed, moved, left out or cut off; exit code 0 means whole.\n"
                 "  vesta audit verify\n"
                 "  vesta audit verify --data /var/lib/vesta --expect 1234:9f86d0...\n"
                 "  vesta audit show --entries 20");
  audit->add_option("WHAT", options->what, "verify or show")->required()->check(CLI::IsMember({"verify", "show"}));
  audit->add_option("--data", options->path, "Data directory, or (verify) one file of the log")->capture_default_str();
  audit->add_option("--expect", options->expect, "verify: NUMBER:HASH, noted elsewhere, that the log must hold");
  audit->add_option("--entries", options->entries, "show: so many of the newest; 0 = all")->capture_default_str();
  audit->add_flag("--json", options->json, "verify: print one JSON object; show: the lines as they stand");
}

void AddTrace(CLI::App& app, TraceOptions* options) {
  CLI::App* trace =
      AddCommand(app, "trace", "Show how a reading came about: raw frame, decoder, exact value, time, bed",
                 "Only reads; a hub may run on the directory.\n"
                 "  vesta trace --number 123456\n"
                 "  vesta trace --series medibus_asfh0001/air_temperature --time 2026-08-11T06:21:25Z --json");
  CLI::Option* number = trace->add_option("--number", options->number, "Journal number of the reading");
  CLI::Option* series = trace->add_option("--series", options->series, "DEVICE/FIELD, or the id of the series");
  trace->add_option("--time", options->time, "At this time, or the newest before it; without it the newest")
      ->needs(series);
  number->excludes(series);
  trace->add_option("--data", options->directory, "Data directory")->capture_default_str();
  trace->add_flag("--json", options->json, "Print one JSON object");
}

void AddGaps(CLI::App& app, GapsOptions* options) {
  CLI::App* gaps = AddCommand(app, "gaps", "Tell when a device was not heard, and why as far as is known",
                              "Only reads; a hub may run on the directory. Exit code 1: there are gaps.\n"
                              "  vesta gaps --device medibus_asfh0001\n"
                              "  vesta gaps --device medibus_asfh0001 --from 2026-08-10T00:00:00Z --to "
                              "2026-08-11T00:00:00Z --longer-than 30");
  gaps->add_option("--device", options->device, "Key of the device")->required();
  gaps->add_option("--from", options->from, "Beginning; without it a day before the end");
  gaps->add_option("--to", options->to, "End; without it now");
  gaps->add_option("--longer-than", options->longer_than_s,
                   "Seconds; 0 = three of its usual distances, a minute at least")
      ->check(CLI::Range(0, 31 * 86400));
  gaps->add_option("--data", options->directory, "Data directory")->capture_default_str();
  gaps->add_flag("--json", options->json, "Print one JSON object");
}

}  // namespace

ParsedCommandLine ParseCommandLine(const std::vector<std::string>& arguments) {
  CLI::App app("Vesta hears your meters, keeps every reading, shows it and hands it on.", "vesta");
  app.require_subcommand(1);
  app.footer(std::string("\n`vesta COMMAND --help` explains a command with examples.\n") + kExitCodes);
  app.set_version_flag("--version", std::string("vesta ") + kVersion + " (" + kRevision + ")");

  RunOptions run;
  DemoOptions demo;
  CheckOptions check;
  DecodeOptions decode;
  CaptureOptions capture;
  ReplayOptions replay;
  SimulateOptions simulate;
  DoctorOptions doctor;
  PasswdOptions passwd;
  KeysOptions keys;
  NodesOptions nodes;
  RedecodeOptions redecode;
  ExportOptions export_options;
  ImportOptions import_options;
  AuditOptions audit;
  TraceOptions trace;
  GapsOptions gaps;
  StoreOptions store;
  AddRun(app, &run);
  AddDemo(app, &demo);
  AddCheck(app, &check);
  AddDecode(app, &decode);
  AddCapture(app, &capture);
  AddReplay(app, &replay);
  AddSimulate(app, &simulate);
  AddDoctor(app, &doctor);
  AddPasswd(app, &passwd);
  AddKeys(app, &keys);
  AddNodes(app, &nodes);
  AddRedecode(app, &redecode);
  AddExport(app, &export_options);
  AddImport(app, &import_options);
  AddAudit(app, &audit);
  AddTrace(app, &trace);
  AddGaps(app, &gaps);
  AddStore(app, &store);

  ParsedCommandLine parsed;
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    parsed.out = chosen.empty() ? app.help() : chosen.front()->help("vesta");
    return parsed;
  } catch (const CLI::CallForVersion& version) {
    parsed.out = std::string(version.what()) + "\n";
    return parsed;
  } catch (const CLI::ParseError& problem) {
    const auto chosen = app.get_subcommands();
    const std::string command = chosen.empty() ? "vesta" : "vesta " + chosen.front()->get_name();
    std::string what = problem.what();
    if (chosen.empty()) {
      const bool named = !arguments.empty() && arguments.front().rfind('-', 0) != 0;
      what = named ? "there is no command \"" + arguments.front() + "\"; there are:" : "which command? There are:";
      for (const CLI::App* known : app.get_subcommands({})) what += " " + known->get_name();
    }
    parsed.error = command + ": " + what + "\nTry: " + command + " --help\n";
    parsed.exit_code = kExitWrongUsage;
    return parsed;
  }
  const auto usage = [&parsed](const char* text) {
    parsed.error = text;
    parsed.exit_code = kExitWrongUsage;
  };
  const std::string name = app.get_subcommands().front()->get_name();
  parsed.run = true;
  if (name == "run") parsed.command = run;
  if (name == "demo") parsed.command = demo;
  if (name == "check") parsed.command = check;
  if (name == "decode") parsed.command = decode;
  if (name == "capture") parsed.command = capture;
  if (name == "replay") parsed.command = replay;
  if (name == "doctor") parsed.command = doctor;
  if (name == "passwd") parsed.command = passwd;
  if (name == "keys") {
    parsed.command = keys;
    if (keys.what.empty() && keys.action != "list" && keys.action != "check") {
      parsed.run = false;
      usage("vesta keys: say which: a device's address, network-ID, or the file to import\nTry: vesta keys --help\n");
    }
  }
  if (name == "redecode") parsed.command = redecode;
  if (name == "nodes") {
    parsed.command = nodes;
    const bool needs_file = nodes.action != "list" && nodes.action != "open" && nodes.action != "export";
    if (needs_file && nodes.files.empty()) {
      parsed.run = false;
      usage("vesta nodes: say which file\nTry: vesta nodes --help\n");
    }
  }
  if (name == "export") parsed.command = export_options;
  if (name == "import") parsed.command = import_options;
  if (name == "audit") parsed.command = audit;
  if (name == "gaps") parsed.command = gaps;
  if (name == "store") {
    parsed.command = store;
    if (store.action == "backup" && store.to.empty()) {
      parsed.run = false;
      usage("vesta store: say where to: --to FOLDER\nTry: vesta store --help\n");
    }
    if ((store.action == "copy") != !store.copy_to.empty()) {
      parsed.run = false;
      usage("vesta store: copy FROM TO, and only copy has these two\nTry: vesta store --help\n");
    }
  }
  if (name == "trace") {
    parsed.command = trace;
    if (trace.number == 0 && trace.series.empty()) {
      parsed.run = false;
      usage("vesta trace: say which reading: --number N, or --series DEVICE/FIELD\nTry: vesta trace --help\n");
    }
  }
  if (name == "simulate") {
    parsed.command = simulate;
    if (!simulate.list && simulate.pty.empty() && simulate.tcp.empty() && simulate.udp.empty() && !simulate.to_stdout) {
      parsed.run = false;
      usage(
          "vesta simulate: say where to: --pty PATH, --tcp ADDRESS:PORT, --udp ADDRESS:PORT or --stdout\n"
          "Try: vesta simulate --help\n");
    }
  }
  return parsed;
}

}  // namespace vesta::app
