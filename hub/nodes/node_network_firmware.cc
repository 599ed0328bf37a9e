// Firmware of nodes: packages come from the operator, orders wait until a node has the new version, went back to the
// old one, or refused it. The link carries the blocks and goes on where it was after a loss.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "hub/nodes/node_network.h"

namespace vesta::hub {

namespace {

constexpr std::string_view kUpdateStates[] = {"waiting", "loading", "restarting", "done", "refused", "rolled_back"};

bool IsOpen(UpdateState state) { return state == UpdateState::kWaiting || state == UpdateState::kLoading; }

tl::unexpected<NodeProblem> NotDone(std::string code, std::string text) {
  return tl::unexpected(NodeProblem{std::move(code), std::move(text)});
}

}  // namespace

std::string_view UpdateStateName(UpdateState state) { return kUpdateStates[static_cast<size_t>(state)]; }

std::string FirmwareText(uint32_t version) {
  return fmt::format("{}.{}.{}", version >> 16, version >> 8 & 0xFF, version & 0xFF);
}

tl::expected<FirmwareUpload, NodeProblem> NodeNetwork::UploadFirmware(uint64_t offset, Bytes bytes) {
  const auto done = firmware_.Upload(offset, bytes);
  if (!done) return NotDone("bad_firmware", done.error());
  FirmwareUpload upload{done->received, done->size, done->is_complete, {}};
  upload.firmware = {done->manifest.target, done->manifest.version, done->manifest.size};
  if (!done->is_complete) return upload;
  // The file that these nodes loaded is gone.
  for (const auto& [id, node] : nodes_) {
    NodeUpdate* update = node->update.get();
    if (update == nullptr || !IsOpen(update->state) || update->target != done->manifest.target) continue;
    EndUpdate(*node, UpdateState::kRefused, "another package took its place");
  }
  SaveKeys();
  return upload;
}

NodeResult NodeNetwork::Update(std::string_view id, std::string_view who) {
  now_ = host_.clock.Read();
  NodeState* node = FindState(id);
  if (node == nullptr) return NotDone("no_node", "there is no such node");
  if (node->kind != NodeKind::kLink) return NotDone("not_writable", "a node of an original network takes no firmware");
  if (node->info.hardware == 0) return NotDone("never_heard", "the hub does not know yet what hardware this node is");
  const link::BlobManifest* image = firmware_.Find(node->info.hardware);
  if (image == nullptr) {
    return NotDone("no_firmware", fmt::format("the hub has no firmware for hardware {}", node->info.hardware));
  }
  if (image->version <= node->info.firmware) {
    return NotDone("older", fmt::format("the node runs {}, the package has {}", FirmwareText(node->info.firmware),
                                        FirmwareText(image->version)));
  }
  node->update = std::make_unique<NodeUpdate>();
  node->update->target = image->target;
  node->update->version = image->version;
  node->update->size = image->size;
  node->update->since_us = now_.utc_us;
  spdlog::info("source {}: firmware {} for node {}, ordered by {}", options_.name, FirmwareText(image->version), id,
               who);
  OfferFirmware(*node);
  Changed();
  if (!SaveKeys()) return NotDone("not_stored", "it could not be written to the disk");
  return {};
}

void NodeNetwork::OfferFirmware(NodeState& node) {
  const NodeUpdate* update = node.update.get();
  if (update == nullptr || !IsOpen(update->state)) return;
  const link::BlobManifest* image = firmware_.Find(update->target);
  if (image == nullptr || image->version != update->version) {
    return EndUpdate(node, UpdateState::kRefused, "the hub does not have this package any more");
  }
  const auto is_it = [&](const Blob& one) {
    return one.is_firmware && one.target == update->target && one.version == update->version;
  };
  auto place = std::find_if(blobs_.begin(), blobs_.end(), is_it);
  if (place == blobs_.end()) {
    place = std::find_if(blobs_.begin(), blobs_.end(), [](const Blob& one) { return one.is_free(); });
    if (place == blobs_.end()) return;  // when another node is done
    *place = {};
    place->is_firmware = true;
    place->target = update->target;
    place->version = update->version;
    link_->SetBlob(static_cast<size_t>(place - blobs_.begin()), *image);
  }
  link_->OfferBlob(node.number, static_cast<size_t>(place - blobs_.begin()));
}

void NodeNetwork::EndUpdate(NodeState& node, UpdateState state, std::string reason) {
  node.update->state = state;
  node.update->reason = std::move(reason);
  const bool is_good = state == UpdateState::kDone || state == UpdateState::kRestarting;
  if (!is_good) {
    spdlog::warn("source {}: node {}: firmware {} {}: {}", options_.name, node.id, FirmwareText(node.update->version),
                 UpdateStateName(state), node.update->reason);
  }
  // A place is free again when nobody loads from it.
  for (Blob& blob : blobs_) {
    const bool is_used = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& one) {
      const NodeUpdate* update = one.second->update.get();
      return update != nullptr && IsOpen(update->state) && update->target == blob.target &&
             update->version == blob.version;
    });
    if (blob.is_firmware && !is_used) blob = {};
  }
}

// A session began: which firmware runs is known.
void NodeNetwork::FollowUpdate(NodeState& node) {
  if (node.update == nullptr) return;
  if (node.info.firmware == node.update->version) {
    if (node.update->state == UpdateState::kDone) return;
    node.update->loaded = node.update->size;
    EndUpdate(node, UpdateState::kDone, "");
    SaveKeys();
  } else if (node.update->state == UpdateState::kRestarting) {
    EndUpdate(node, UpdateState::kRolledBack,
              fmt::format("it came back with {}: the new one did not report", FirmwareText(node.info.firmware)));
    SaveKeys();
  } else {
    OfferFirmware(node);
  }
}

void NodeNetwork::OnBlobRequested(uint16_t number, const link::BlobManifest& manifest, uint32_t first_block) {
  NodeState* node = FindNumber(number);
  if (node == nullptr || node->update == nullptr || manifest.kind != link::BlobKind::kFirmware) return;
  node->update->state = UpdateState::kLoading;
  node->update->loaded = std::min(manifest.size, first_block * static_cast<uint32_t>(link::kBlockSize));
}

void NodeNetwork::TakeFirmwareStatus(NodeState& node, const link::BlobStatus& status, std::string_view why_not) {
  if (node.update == nullptr || node.update->version != status.version) return;
  if (status.result == link::BlobResult::kComplete) {
    node.update->loaded = node.update->size;
    const bool runs = node.info.firmware == status.version;
    EndUpdate(node, runs ? UpdateState::kDone : UpdateState::kRestarting, "");
  } else {
    EndUpdate(node, UpdateState::kRefused, std::string(why_not));
  }
  SaveKeys();
}

void NodeNetwork::RestoreUpdates() {
  for (const NodeUpdateOrder& order : keys_.updates) {
    NodeState* node = FindState(order.node);
    if (node == nullptr) continue;
    const link::BlobManifest* image = firmware_.Find(order.target);
    node->update = std::make_unique<NodeUpdate>();
    node->update->target = order.target;
    node->update->version = order.version;
    node->update->size = image == nullptr ? 0 : image->size;
    node->update->since_us = order.at_us;
    if (order.is_restarting) node->update->state = UpdateState::kRestarting;
  }
}

void NodeNetwork::GatherUpdates() {
  keys_.updates.clear();
  for (const auto& [id, node] : nodes_) {
    const NodeUpdate* update = node->update.get();
    if (update == nullptr || (!IsOpen(update->state) && update->state != UpdateState::kRestarting)) continue;
    keys_.updates.push_back(
        {id, update->target, update->version, update->since_us, update->state == UpdateState::kRestarting});
  }
}

}  // namespace vesta::hub
