// From the checked tree to the structs. Expects what the schema promises and leaves a struct's own default where a
// value has another kind, so it can never fail.
#pragma once

#include "hub/config/config.h"
#include "hub/config/json_tree.h"

namespace vesta::hub {

// Secrets are not filled in: they may stand elsewhere (secrets.h).
void FillHub(const JsonNode& node, Config* config);
void FillStorage(const JsonNode& node, StorageConfig* storage);
void FillHttp(const JsonNode& node, HttpConfig* http);
void FillSource(const JsonNode& node, const std::string& hub_zone, SourceConfig* source);
void FillOutput(const JsonNode& node, OutputConfig* output);
void FillMerged(const JsonNode& node, MergedConfig* merged);
void FillDevice(const JsonNode& node, DeviceConfig* device);

}  // namespace vesta::hub
