// The node networks of the hub, put together: a network for each source of type nodes, and one desk over all of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/config/config.h"
#include "hub/journal/journal.h"
#include "hub/nodes/node_network.h"

namespace vesta::app {

class NodeOffice final : public hub::NodeDesk {
 public:
  // All of it outlives the office.
  NodeOffice(const hub::Clock& clock, hub::Directory& directory, hub::LiveView& live, hub::Journal& journal,
             const hub::Config& config);
  ~NodeOffice() override;

  // A network as the source's configuration says; it stays where it is. poke: its line's.
  hub::NodeNetwork& Add(const hub::SourceConfig& config, std::function<void()> poke,
                        std::function<void(const hub::RelayedFrame&)> relay);
  bool empty() const { return networks_.empty(); }
  void Save();

  std::vector<hub::NetworkView> Networks() const override;
  std::vector<hub::NodeView> Nodes() const override;
  std::vector<hub::WaitingView> Waiting() const override;
  hub::NodeResult OpenWindow(std::string_view source, int64_t seconds) override;
  hub::NodeResult Confirm(std::string_view address, std::string_view code) override;
  hub::NodeResult Forget(std::string_view id) override;
  hub::NodeResult Set(std::string_view id, uint8_t item, Decimal value, std::string_view who) override;
  hub::NodeResult Order(std::string_view id, std::string_view what, std::string_view who) override;
  hub::NodeResult AddSecret(std::string_view source, std::string_view secret, std::string_view name) override;
  tl::expected<std::string, hub::NodeProblem> GetNetwork(std::string_view source) const override;
  hub::NodeResult PutNetwork(std::string_view source, std::string_view json) override;
  tl::expected<hub::FirmwareUpload, hub::NodeProblem> UploadFirmware(std::string_view source, uint64_t offset,
                                                                     std::span<const uint8_t> bytes) override;
  hub::NodeResult Update(std::string_view id, std::string_view who) override;
  std::optional<Writable> FindWritable(const hub::Device& device, std::string_view field) const override;
  Token OnWish(std::function<void(const hub::WishTold&)> told) override;

 private:
  hub::NodeNetwork* FindSource(std::string_view source) const;  // "" = the only one
  hub::NodeNetwork* FindNode(std::string_view id) const;

  const hub::Clock& clock_;
  hub::Directory& directory_;
  hub::LiveView& live_;
  hub::Journal& journal_;
  const hub::Config& config_;
  std::unique_ptr<link::RandomSource> random_;
  std::vector<std::unique_ptr<hub::NodeNetwork>> networks_;
  std::vector<hub::Journal::Token> durable_;
  std::vector<std::weak_ptr<std::function<void(const hub::WishTold&)>>> wish_listeners_;
};

}  // namespace vesta::app
