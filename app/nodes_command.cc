#include "app/nodes_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/day_log.h"
#include "app/exit_code.h"
#include "app/printable.h"
#include "app/whole_file.h"
#include "hub/nodes/network.h"

namespace vesta::app {
namespace {

using Json = nlohmann::json;

int FailWith(const std::string& text, int code = kExitProblems) {
  fmt::print(stderr, "vesta nodes: {}\n", text);
  return code;
}

tl::expected<std::string, std::string> Ask(const NodesOptions& options, const std::string& method,
                                           const std::string& path, const std::string& body) {
  return AskHubForBody(options.url, method, "/api/v1/nodes" + path, body);
}

std::string QueryOf(const NodesOptions& options) {
  std::string query;
  for (const char c : options.source) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    query += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return query.empty() ? "" : "?source=" + query;
}

int List(const NodesOptions& options) {
  const auto answer = Ask(options, "GET", "", "");
  if (!answer) return FailWith(answer.error());
  const Json all = Json::parse(*answer, nullptr, false);
  if (!all.is_object()) return FailWith("the hub's answer can't be read");
  if (options.json) {
    fmt::print("{}\n", all.dump(2));
    return kExitOk;
  }
  for (const Json& node : all["nodes"]) {
    const std::string signal = node["rssi_dbm"].is_number() ? fmt::format("{} dBm", node["rssi_dbm"].get<int>()) : "";
    fmt::print("{:<16} {:<24} {:<12} {:>8}  {}\n", node.value("id", ""), Printable(node.value("name", "")),
               node.value("state", ""), signal, Printable(node.value("note", "")));
  }
  for (const Json& waiting : all["waiting"]) {
    fmt::print("{:<16} {:<24} waits: {}\n", waiting.value("address", ""), Printable(waiting.value("name", "")),
               Printable(waiting.value("text", "")));
  }
  return kExitOk;
}

int Put(const NodesOptions& options) {
  if (options.files.size() != 1) return FailWith("put takes one description", kExitWrongUsage);
  const auto text = ReadWholeFile(options.files[0]);
  if (!text) return FailWith(options.files[0] + " can't be read", kExitCannotStart);
  const auto answer = Ask(options, "PUT", "/network" + QueryOf(options), *text);
  return answer ? kExitOk : FailWith(answer.error());
}

int Export(const NodesOptions& options) {
  const auto answer = Ask(options, "GET", "/network" + QueryOf(options), "");
  if (!answer) return FailWith(answer.error());
  fmt::print("{}", *answer);
  return kExitOk;
}

int Import(const NodesOptions& options) {
  if (options.into.empty()) return FailWith("--into says which description is made or added to", kExitWrongUsage);
  hub::Network network;
  std::vector<std::string> problems;
  if (const auto text = ReadWholeFile(options.into)) {
    auto read = hub::ReadNetwork(*text, &problems);
    if (!read) return FailWith(fmt::format("{}: {}", options.into, read.error()), kExitCannotStart);
    network = std::move(*read);
  }
  for (const std::string& file : options.files) {
    const auto text = ReadWholeFile(file);
    if (!text) return FailWith(file + " can't be read", kExitCannotStart);
    // The list of addresses has no devices of its own, only tables.
    const bool is_peers = text->find("\"mac\"") != std::string::npos;
    const auto done =
        is_peers ? hub::ImportPeers(*text, &network, &problems) : hub::ImportStruct(*text, &network, &problems);
    if (!done) return FailWith(fmt::format("{}: {}", file, done.error()));
  }
  for (const std::string& problem : problems) fmt::print(stderr, "{}\n", Printable(problem));
  if (auto written = ReplaceFile(options.into, hub::WriteNetwork(network)); !written) {
    return FailWith(written.error(), kExitCannotStart);
  }
  size_t devices = 0;
  for (const hub::NodeEntry& entry : network.nodes) devices += entry.devices.size();
  fmt::print("{}: {} nodes with {} devices, {} rooms\n", options.into, network.nodes.size(), devices,
             network.rooms.size());
  return problems.empty() ? kExitOk : kExitProblems;
}

int Open(const NodesOptions& options) {
  const Json body = {{"seconds", std::to_string(options.seconds)}, {"source", options.source}};
  const auto answer = Ask(options, "POST", "/window", body.dump());
  if (!answer) return FailWith(answer.error());
  fmt::print("New nodes may join for {} s.\n", options.seconds);
  return kExitOk;
}

int ImportLog(const NodesOptions& options) {
  if (options.directory.empty()) return FailWith("--data says whose history it is", kExitWrongUsage);
  hub::Network network;
  if (!options.network.empty()) {
    const auto text = ReadWholeFile(options.network);
    std::vector<std::string> problems;
    auto read = text ? hub::ReadNetwork(*text, &problems)
                     : tl::expected<hub::Network, std::string>(tl::unexpect, "it can't be read");
    if (!read) return FailWith(fmt::format("{}: {}", options.network, read.error()), kExitCannotStart);
    network = std::move(*read);
  }
  const auto report = ImportDayLogs(options.files, options.directory, network);
  if (!report) return FailWith(report.error(), kExitCannotStart);
  fmt::print("{} rows, {} readings imported, {} there already, {} values left out\n", report->rows, report->imported,
             report->already_there, report->left_out);
  return report->left_out == 0 ? kExitOk : kExitProblems;
}

}  // namespace

int RunNodes(const NodesOptions& options) {
  if (options.action == "list") return List(options);
  if (options.action == "export") return Export(options);
  if (options.action == "put") return Put(options);
  if (options.action == "open") return Open(options);
  return options.action == "import" ? Import(options) : ImportLog(options);
}

}  // namespace vesta::app
