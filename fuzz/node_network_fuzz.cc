// Files and texts that a node network takes from outside: its description, the original server's files, a node's
// description of itself, and the serial radio's stream. The first byte chooses.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/nodes/description.h"
#include "hub/nodes/network.h"
#include "hub/nodes/node_configuration.h"
#include "protocols/radio_serial/frame.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryNetwork(std::string_view text) {
  std::vector<std::string> problems;
  const auto read = vesta::hub::ReadNetwork(text, &problems);
  if (!read) return;
  // What was taken is a description without a fault, and stays the same.
  const std::string written = vesta::hub::WriteNetwork(*read);
  std::vector<std::string> none;
  const auto again = vesta::hub::ReadNetwork(written, &none);
  Require(again.has_value() && none.empty());
  Require(vesta::hub::WriteNetwork(*again) == written);
  for (const vesta::hub::NodeEntry& entry : read->nodes) {
    const std::string sent = vesta::hub::NodeConfigurationText(read->FunctionsOf(entry), UINT32_MAX, entry.name);
    Require(sent.size() <= vesta::hub::kMaxNodeConfigurationBytes);
  }
}

void TryImport(std::string_view text) {
  vesta::hub::Network network;
  std::vector<std::string> problems;
  (void)vesta::hub::ImportStruct(text, &network, &problems);
  (void)vesta::hub::ImportPeers(text, &network, &problems);
  std::vector<std::string> none;
  Require(vesta::hub::ReadNetwork(vesta::hub::WriteNetwork(network), &none).has_value() && none.empty());
}

void TryDescription(std::span<const uint8_t> bytes) {
  const auto read = vesta::hub::ReadDescription(bytes);
  if (!read) return;
  for (const vesta::hub::ItemSpec& spec : read->items) {
    Require(read->Find(spec.index) == &spec);
    Require(!spec.key.empty());
    Require(read->PartOf(spec).size() < 200);
  }
}

void TrySerial(std::span<const uint8_t> bytes) {
  namespace radio = vesta::radio_serial;
  radio::Reader reader;
  radio::Message message;
  radio::Welcome welcome;
  radio::Sent sent;
  radio::Status status;
  radio::Received received;
  radio::Send send;
  for (const uint8_t byte : bytes) {
    if (!reader.Take(byte, &message)) continue;
    Require(message.body.size() <= radio::kMaxBody);
    (void)radio::Read(message, &welcome);
    (void)radio::Read(message, &sent);
    (void)radio::Read(message, &status);
    if (radio::Read(message, &received)) Require(received.channel <= 14);
    (void)radio::Read(message, &send);
  }
  // Any bytes make the way there and back.
  if (bytes.size() > radio::kMaxAirBody) return;
  std::array<uint8_t, radio::kMaxOnWire> wire;
  const size_t size = radio::Write(0, radio::Received{{}, {}, 1, -1, 0, bytes}, wire);
  Require(size > 0);
  radio::Reader fresh;
  bool is_read = false;
  for (size_t i = 0; i < size; ++i) is_read = fresh.Take(wire[i], &message);
  Require(is_read && radio::Read(message, &received));
  Require(std::equal(received.body.begin(), received.body.end(), bytes.begin(), bytes.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> rest(data + 1, size - 1);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  switch (data[0] % 4) {
    case 0:
      TryNetwork(text);
      break;
    case 1:
      TryImport(text);
      break;
    case 2:
      TryDescription(rest);
      break;
    default:
      TrySerial(rest);
  }
  return 0;
}
