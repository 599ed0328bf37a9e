#include "app/nodes.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace vesta::app {
namespace {

// The kernel's generator. Without it nothing may be sealed.
class SystemRandom final : public link::RandomSource {
 public:
  void Fill(std::span<uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t size = getrandom(out.data(), out.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) std::abort();
      out = out.subspan(static_cast<size_t>(size));
    }
  }
};

hub::NodeResult NoNode() { return tl::unexpected(hub::NodeProblem{"no_node", "there is no such node"}); }
hub::NodeProblem NoSource() { return {"no_source", "there is no such source of nodes, or several: name one"}; }

}  // namespace

NodeOffice::NodeOffice(const hub::Clock& clock, hub::Directory& directory, hub::LiveView& live, hub::Journal& journal,
                       const hub::Config& config)
    : clock_(clock),
      directory_(directory),
      live_(live),
      journal_(journal),
      config_(config),
      random_(std::make_unique<SystemRandom>()) {}

NodeOffice::~NodeOffice() = default;

hub::NodeNetwork& NodeOffice::Add(const hub::SourceConfig& config, std::function<void()> poke,
                                  std::function<void(const hub::RelayedFrame&)> relay) {
  const std::string& folder = config_.storage.directory;
  hub::NodeNetworkOptions options;
  options.name = config.name;
  options.air = config.air;
  options.hub_id = config_.hub_id;
  options.keys_file = fmt::format("{}/nodes-{}.json", folder, config.name);
  options.network_file =
      config.network_file.empty() ? fmt::format("{}/network-{}.json", folder, config.name) : config.network_file;
  options.firmware_folder = fmt::format("{}/firmware-{}", folder, config.name);
  options.channel = config.channel;
  FindZone(config_.site_zone, &options.zone);
  hub::NodeHost host{
      clock_,
      directory_,
      live_,
      [this](std::span<const Reading> readings, size_t bytes) { return journal_.HasRoom(readings, bytes); },
      [this] { return journal_.last_number(); },
      std::move(poke),
      std::move(relay),
      [this](const hub::WishTold& told) {
        for (const auto& listener : wish_listeners_) {
          if (const auto call = listener.lock()) (*call)(told);
        }
      }};
  hub::NodeNetwork& network =
      *networks_.emplace_back(std::make_unique<hub::NodeNetwork>(std::move(options), std::move(host), *random_));
  network.Load();
  durable_.push_back(journal_.OnDurable([&network](hub::JournalNumber mark) { network.OnDurable(mark); }));
  return network;
}

void NodeOffice::Save() {
  for (const auto& network : networks_) network->Save();
}

hub::NodeNetwork* NodeOffice::FindSource(std::string_view source) const {
  if (source.empty()) return networks_.size() == 1 ? networks_[0].get() : nullptr;
  for (const auto& network : networks_) {
    if (network->name() == source) return network.get();
  }
  return nullptr;
}

hub::NodeNetwork* NodeOffice::FindNode(std::string_view id) const {
  for (const auto& network : networks_) {
    if (network->Has(id)) return network.get();
  }
  return nullptr;
}

std::vector<hub::NetworkView> NodeOffice::Networks() const {
  std::vector<hub::NetworkView> views;
  for (const auto& network : networks_) views.push_back(network->View());
  return views;
}

std::vector<hub::NodeView> NodeOffice::Nodes() const {
  std::vector<hub::NodeView> views;
  for (const auto& network : networks_) network->AddNodes(&views);
  return views;
}

std::vector<hub::WaitingView> NodeOffice::Waiting() const {
  std::vector<hub::WaitingView> views;
  for (const auto& network : networks_) network->AddWaiting(&views);
  return views;
}

hub::NodeResult NodeOffice::OpenWindow(std::string_view source, int64_t seconds) {
  if (seconds < 0 || seconds > hub::kMaxWindow_s) {
    return tl::unexpected(hub::NodeProblem{"bad_seconds", fmt::format("0 to {} seconds", hub::kMaxWindow_s)});
  }
  if (!source.empty() && FindSource(source) == nullptr) return tl::unexpected(NoSource());
  for (const auto& network : networks_) {
    if (source.empty() || network->name() == source) network->OpenWindow(seconds);
  }
  return {};
}

hub::NodeResult NodeOffice::Confirm(std::string_view address, std::string_view code) {
  link::Address parsed;
  hub::NodeResult result = NoNode();
  if (!hub::ParseNodeAddress(address, &parsed)) return result;
  for (const auto& network : networks_) {
    result = network->Confirm(parsed, code);
    if (result || result.error().code != "not_waiting") return result;
  }
  return result;
}

hub::NodeResult NodeOffice::Forget(std::string_view id) {
  hub::NodeNetwork* network = FindNode(id);
  return network == nullptr ? NoNode() : network->Forget(id);
}

hub::NodeResult NodeOffice::Set(std::string_view id, uint8_t item, Decimal value, std::string_view who) {
  hub::NodeNetwork* network = FindNode(id);
  return network == nullptr ? NoNode() : network->Set(id, item, value, who);
}

hub::NodeResult NodeOffice::Order(std::string_view id, std::string_view what, std::string_view who) {
  uint8_t item = 0;
  if (what == "restart") item = hub::kRestartItem;
  if (what == "ping") item = hub::kPingItem;
  if (what == "identify") item = hub::kIdentifyItem;
  if (item == 0) return tl::unexpected(hub::NodeProblem{"bad_order", "restart, ping or identify"});
  if (!id.empty()) {
    hub::NodeNetwork* network = FindNode(id);
    return network == nullptr ? NoNode() : network->Order(id, item, who);
  }
  // All that can be told; one that can't is shown with the reason when it is asked alone.
  for (const auto& network : networks_) {
    for (const std::string& one : network->Ids()) (void)network->Order(one, item, who);
  }
  return {};
}

hub::NodeResult NodeOffice::AddSecret(std::string_view source, std::string_view secret, std::string_view name) {
  hub::NodeNetwork* network = FindSource(source);
  if (network == nullptr) return tl::unexpected(NoSource());
  return network->AddSecret(secret, name);
}

tl::expected<std::string, hub::NodeProblem> NodeOffice::GetNetwork(std::string_view source) const {
  const hub::NodeNetwork* network = FindSource(source);
  if (network == nullptr) return tl::unexpected(NoSource());
  return network->NetworkJson();
}

hub::NodeResult NodeOffice::PutNetwork(std::string_view source, std::string_view json) {
  hub::NodeNetwork* network = FindSource(source);
  if (network == nullptr) return tl::unexpected(NoSource());
  return network->PutNetwork(json);
}

tl::expected<hub::FirmwareUpload, hub::NodeProblem> NodeOffice::UploadFirmware(std::string_view source, uint64_t offset,
                                                                               std::span<const uint8_t> bytes) {
  hub::NodeNetwork* network = FindSource(source);
  if (network == nullptr) return tl::unexpected(NoSource());
  return network->UploadFirmware(offset, bytes);
}

hub::NodeResult NodeOffice::Update(std::string_view id, std::string_view who) {
  if (!id.empty()) {
    hub::NodeNetwork* network = FindNode(id);
    return network == nullptr ? NoNode() : network->Update(id, who);
  }
  // All that have something to load; why one has not is told when it is asked alone.
  for (const auto& network : networks_) {
    for (const std::string& one : network->Ids()) (void)network->Update(one, who);
  }
  return {};
}

std::optional<hub::NodeDesk::Writable> NodeOffice::FindWritable(const hub::Device& device,
                                                                std::string_view field) const {
  for (const auto& network : networks_) {
    if (auto found = network->FindWritable(device, field)) return found;
  }
  return std::nullopt;
}

hub::NodeDesk::Token NodeOffice::OnWish(std::function<void(const hub::WishTold&)> told) {
  auto listener = std::make_shared<std::function<void(const hub::WishTold&)>>(std::move(told));
  std::erase_if(wish_listeners_, [](const auto& one) { return one.expired(); });
  wish_listeners_.push_back(listener);
  return listener;
}

}  // namespace vesta::app
