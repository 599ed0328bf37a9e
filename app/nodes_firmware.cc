#include "app/nodes_firmware.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/exit_code.h"
#include "app/printable.h"
#include "app/whole_file.h"
#include "hub/nodes/firmware_store.h"
#include "hub/nodes/node_desk.h"
#include "protocols/link/seal.h"

namespace vesta::app {
namespace {

using Json = nlohmann::json;
using tl::unexpected;
using KeyHandle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr int kHalf = crypto::kSignatureSize / 2;
constexpr auto kLookEvery = std::chrono::seconds(1);

int FirmwareFail(const std::string& text, int code = kExitProblems) {
  fmt::print(stderr, "vesta nodes: {}\n", text);
  return code;
}

std::string HexOfBytes(std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return hex;
}

// Both coordinates, without the byte in front that says so.
tl::expected<std::string, std::string> PublicHex(EVP_PKEY* key) {
  unsigned char* bytes = nullptr;
  const size_t size = EVP_PKEY_get1_encoded_public_key(key, &bytes);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> held(bytes, [](unsigned char* p) { OPENSSL_free(p); });
  if (size != 1 + crypto::kP256KeySize) return unexpected(std::string("this is no P-256 key"));
  return HexOfBytes({reinterpret_cast<const char*>(bytes) + 1, crypto::kP256KeySize});
}

KeyHandle ReadKey(const std::string& path) {
  KeyHandle key(nullptr, EVP_PKEY_free);
  if (std::FILE* file = std::fopen(path.c_str(), "re")) {
    key.reset(PEM_read_PrivateKey(file, nullptr, nullptr, nullptr));
    std::fclose(file);
  }
  return key;
}

bool Sign(EVP_PKEY* key, const crypto::Digest& digest, crypto::Signature* out) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(key, nullptr),
                                                                            EVP_PKEY_CTX_free);
  std::array<unsigned char, 128> der;
  size_t size = der.size();
  if (!context || EVP_PKEY_sign_init(context.get()) <= 0 ||
      EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()) <= 0) {
    return false;
  }
  const unsigned char* at = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  return parts && BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out->data(), kHalf) == kHalf &&
         BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out->data() + kHalf, kHalf) == kHalf;
}

template <typename Number>
bool WholeNumber(std::string_view text, Number* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// What became of the order at each node that has one; a line for each change.
int Watch(const NodesOptions& options, const AskNodes& ask, const std::string& version) {
  std::map<std::string, std::string> told;
  while (true) {
    const auto answer = ask("GET", "", "");
    if (!answer) return FirmwareFail(answer.error());
    const Json all = Json::parse(*answer, nullptr, false);
    if (!all.is_object()) return FirmwareFail("the hub's answer can't be read");
    size_t open = 0;
    size_t bad = 0;
    for (const Json& node : all["nodes"]) {
      const std::string id = node.value("id", "");
      if ((!options.node.empty() && id != options.node) || !node["update"].is_object()) continue;
      const Json& update = node["update"];
      if (update.value("version", "") != version) continue;
      const std::string state = update.value("state", "");
      std::string line = state;
      if (state == "loading") line += fmt::format(" {} %", update.value("percent", 0));
      if (!update.value("reason", "").empty()) line += ": " + Printable(update.value("reason", ""));
      open += state == "waiting" || state == "loading" || state == "restarting" ? 1u : 0u;
      bad += state == "refused" || state == "rolled_back" ? 1u : 0u;
      if (told[id] == line) continue;
      told[id] = line;
      fmt::print("{:<16} {:<24} {}\n", id, Printable(node.value("name", "")), line);
      std::fflush(stdout);
    }
    if (open == 0) {
      if (told.empty()) return FirmwareFail("no node has something to load");
      return bad == 0 ? kExitOk : kExitProblems;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

}  // namespace

bool ParseFirmwareVersion(const std::string& text, uint32_t* out) {
  if (text.find('.') == std::string::npos) return WholeNumber(text, out) && *out > 0;
  const size_t first = text.find('.');
  const size_t second = text.find('.', first + 1);
  uint16_t major = 0;
  uint8_t minor = 0;
  uint8_t patch = 0;
  const std::string_view all = text;
  if (second == std::string::npos || !WholeNumber(all.substr(0, first), &major) ||
      !WholeNumber(all.substr(first + 1, second - first - 1), &minor) || !WholeNumber(all.substr(second + 1), &patch)) {
    return false;
  }
  *out = static_cast<uint32_t>(major) << 16 | static_cast<uint32_t>(minor) << 8 | patch;
  return *out > 0;
}

bool ParseHardware(const std::string& text, uint32_t* out) {
  constexpr std::string_view kNames[] = {"any", "linux", "esp32", "esp8266"};
  for (uint32_t i = 0; i < std::size(kNames); ++i) {
    if (text != kNames[i]) continue;
    *out = i;
    return true;
  }
  return WholeNumber(text, out);
}

tl::expected<std::string, std::string> NewSigningKey(const std::string& path) {
  const KeyHandle key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (!key) return unexpected(std::string("the key could not be made"));
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return unexpected(path + " is there already, or can't be written");
  std::FILE* const file = fdopen(fd, "w");
  const bool is_written = PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (std::fclose(file) != 0 || !is_written) return unexpected(path + " can't be written");
  return PublicHex(key.get());
}

tl::expected<std::string, std::string> PublicKeyOf(const std::string& path) {
  const KeyHandle key = ReadKey(path);
  if (!key) return unexpected(path + " holds no private key as PEM");
  return PublicHex(key.get());
}

tl::expected<std::string, std::string> SignFirmware(const std::string& image, uint32_t hardware, uint32_t version,
                                                    const std::string& key_path) {
  if (image.empty() || image.size() > link::kMaxBlobSize) {
    return unexpected(fmt::format("an image has 1 to {} bytes", link::kMaxBlobSize));
  }
  const KeyHandle key = ReadKey(key_path);
  if (!key) return unexpected(key_path + " holds no private key as PEM");
  if (const auto is_right = PublicHex(key.get()); !is_right) return unexpected(is_right.error());
  link::BlobManifest manifest;
  manifest.target = hardware;
  manifest.version = version;
  manifest.size = static_cast<uint32_t>(image.size());
  manifest.digest = crypto::Sha256({reinterpret_cast<const uint8_t*>(image.data()), image.size()});
  if (!Sign(key.get(), link::ManifestDigest(manifest), &manifest.signature)) {
    return unexpected(std::string("it could not be signed"));
  }
  return hub::WriteFirmwareHead(manifest) + image;
}

int RunNewKey(const NodesOptions& options) {
  if (options.files.size() != 1) return FirmwareFail("new-key takes the file that the key goes to", kExitWrongUsage);
  const auto made = NewSigningKey(options.files[0]);
  if (!made) return FirmwareFail(made.error(), kExitCannotStart);
  fmt::print("{}\n", *made);
  fmt::print(stderr, "The digits are the public key: put them into the file that the nodes' `signer_file` names.\n");
  return kExitOk;
}

int RunSign(const NodesOptions& options) {
  uint32_t hardware = 0;
  uint32_t version = 0;
  if (options.files.size() != 1 || options.into.empty() || options.key.empty()) {
    return FirmwareFail("sign takes an image, --key and --into", kExitWrongUsage);
  }
  if (!ParseFirmwareVersion(options.version, &version)) {
    return FirmwareFail("--version is like 1.2.3, up to 65535.255.255", kExitWrongUsage);
  }
  if (!ParseHardware(options.hardware, &hardware)) {
    return FirmwareFail("--hardware is linux, esp32, esp8266, any or a number", kExitWrongUsage);
  }
  const auto image = ReadWholeFile(options.files[0]);
  if (!image) return FirmwareFail(options.files[0] + " can't be read", kExitCannotStart);
  const auto package = SignFirmware(*image, hardware, version, options.key);
  if (!package) return FirmwareFail(package.error(), kExitCannotStart);
  if (auto written = ReplaceFile(options.into, *package); !written) {
    return FirmwareFail(written.error(), kExitCannotStart);
  }
  fmt::print("{}: version {}, {} bytes\n", options.into, hub::FirmwareText(version), package->size());
  return kExitOk;
}

int RunUpdate(const NodesOptions& options, const AskNodes& ask, const std::string& query) {
  if (options.files.size() != 1) return FirmwareFail("update takes one package", kExitWrongUsage);
  const auto package = ReadWholeFile(options.files[0]);
  if (!package) return FirmwareFail(options.files[0] + " can't be read", kExitCannotStart);
  link::BlobManifest manifest;
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(package->data()), package->size());
  if (!hub::ReadFirmwareHead(bytes, &manifest) || bytes.size() != hub::kFirmwareHead + manifest.size) {
    return FirmwareFail(options.files[0] + " is no firmware package: make one with vesta nodes sign");
  }
  for (size_t at = 0; at < package->size(); at += hub::kMaxUploadPiece) {
    const Json body = {{"offset", std::to_string(at)},
                       {"hex", HexOfBytes(std::string_view(*package).substr(at, hub::kMaxUploadPiece))}};
    const auto answer = ask("POST", "/firmware" + query, body.dump());
    if (!answer) return FirmwareFail(answer.error());
  }
  const std::string version = hub::FirmwareText(manifest.version);
  fmt::print("The hub has version {}.\n", version);
  const auto ordered = ask("POST", "/updates", Json{{"node", options.node}}.dump());
  if (!ordered) return FirmwareFail(ordered.error());
  return Watch(options, ask, version);
}

}  // namespace vesta::app
