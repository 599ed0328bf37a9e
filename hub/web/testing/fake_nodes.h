// A node network without an air, for the tests of the web room: one node, one that waits, and what was asked of them.
#pragma once

#include <string>
#include <vector>

#include "hub/nodes/node_desk.h"

namespace vesta::hub {

class FakeNodes final : public NodeDesk {
 public:
  std::vector<NetworkView> Networks() const override {
    NetworkView view;
    view.source = "home";
    view.air = "udp";
    view.address = "02aa00000001";
    view.max_nodes = 256;
    view.firmware.push_back({1, 0x010000, 4096});
    view.window_us = window_s * kUsPerSecond;
    view.problems = {"nodes[3]: \"number\" is missing"};
    return {view};
  }
  std::vector<NodeView> Nodes() const override {
    NodeView node;
    node.id = "02bb00000001";
    node.source = "home";
    node.name = "Bath <b>";
    node.device = "nodes_02bb00000001";
    node.rssi_dbm = -60;
    node.channel = 6;
    node.heard_us = 1786429285000000;
    node.state = "online";
    node.hardware = 1;
    node.update = UpdateView{0x010000, UpdateState::kLoading, 40, "", node.heard_us};
    ItemView item;
    item.item = 2;
    item.name = "Bath";
    item.field = "set_point";
    item.unit = Unit::kCelsius;
    item.is_writable = true;
    item.min = Decimal{50, -1};
    item.step = {5, -1};
    node.items.push_back(item);
    WishView wish;
    wish.item = 2;
    wish.value = {215, -1};
    wish.who = "page";
    wish.requested_us = node.heard_us;
    node.wishes.push_back(wish);
    return {node};
  }
  std::vector<WaitingView> Waiting() const override {
    WaitingView view;
    view.address = "02bb00000002";
    view.source = "home";
    view.reason = "window_closed";
    view.first_us = view.last_us = 1786429285000000;
    return {view};
  }
  NodeResult OpenWindow(std::string_view, int64_t seconds) override {
    if (seconds < 0) return tl::unexpected(NodeProblem{"bad_seconds", "0 to 600 seconds"});
    window_s = seconds;
    return {};
  }
  NodeResult Confirm(std::string_view address, std::string_view code) override {
    if (address != "02bb00000002") return tl::unexpected(NodeProblem{"not_waiting", "no such node waits"});
    if (code != "012345") return tl::unexpected(NodeProblem{"other_code", "other digits"});
    return {};
  }
  NodeResult Forget(std::string_view id) override { return Known(id); }
  NodeResult Set(std::string_view id, uint8_t item, Decimal value, std::string_view who) override {
    asked.push_back(std::string(id) + "/" + std::to_string(item) + "=" + std::to_string(value.mantissa) + "e" +
                    std::to_string(value.exponent) + " by " + std::string(who));
    return Known(id);
  }
  NodeResult Order(std::string_view id, std::string_view what, std::string_view) override {
    asked.push_back(std::string(what));
    return id.empty() ? NodeResult() : Known(id);
  }
  NodeResult AddSecret(std::string_view, std::string_view secret, std::string_view) override {
    if (secret.size() != 32) return tl::unexpected(NodeProblem{"bad_secret", "a node's secret has 32 hex digits"});
    return {};
  }
  tl::expected<std::string, NodeProblem> GetNetwork(std::string_view) const override { return network; }
  NodeResult PutNetwork(std::string_view, std::string_view json) override {
    network = json;
    return {};
  }
  tl::expected<FirmwareUpload, NodeProblem> UploadFirmware(std::string_view, uint64_t offset,
                                                           std::span<const uint8_t> bytes) override {
    if (offset != 0) return tl::unexpected(NodeProblem{"bad_firmware", "the piece at 0 was awaited"});
    return FirmwareUpload{bytes.size(), bytes.size(), true, {1, 0x010000, 4096}};
  }
  NodeResult Update(std::string_view id, std::string_view who) override {
    if (id == "nobody") return tl::unexpected(NodeProblem{"no_node", "there is no such node"});
    asked.push_back("update " + std::string(id) + " by " + std::string(who));
    return {};
  }
  Token OnWish(std::function<void(const WishTold&)>) override { return nullptr; }
  std::optional<Writable> FindWritable(const Device&, std::string_view) const override { return std::nullopt; }

  int64_t window_s = 0;
  std::string network = R"({"format":"vesta-network","version":1})";
  std::vector<std::string> asked;

 private:
  static NodeResult Known(std::string_view id) {
    if (id == "02bb00000001") return {};
    return tl::unexpected(NodeProblem{"no_node", "there is no such node"});
  }
};

}  // namespace vesta::hub
