// vesta nodes new-key, sign and update: keys that firmware is signed with, packages, and how they reach the nodes.
//
// Keys are PEM files as `openssl` makes and reads them. The private one belongs where firmware is built; nodes get the
// public one as 128 hex digits. docs/formats/firmware.md.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "app/nodes_command.h"

namespace vesta::app {

// The public key as hex, of a new private one that is written to the file. A file that is there is not touched.
tl::expected<std::string, std::string> NewSigningKey(const std::string& path);
tl::expected<std::string, std::string> PublicKeyOf(const std::string& path);
// The package.
tl::expected<std::string, std::string> SignFirmware(const std::string& image, uint32_t hardware, uint32_t version,
                                                    const std::string& key_path);

// "1.2.3", or a number.
bool ParseFirmwareVersion(const std::string& text, uint32_t* out);
// "linux", "esp32", "esp8266", "any", or a number.
bool ParseHardware(const std::string& text, uint32_t* out);

// The call to the hub: the answer's body, or why there is none.
using AskNodes = std::function<tl::expected<std::string, std::string>(
    const std::string& method, const std::string& path, const std::string& body)>;

int RunNewKey(const NodesOptions& options);
int RunSign(const NodesOptions& options);
int RunUpdate(const NodesOptions& options, const AskNodes& ask, const std::string& query);

}  // namespace vesta::app
